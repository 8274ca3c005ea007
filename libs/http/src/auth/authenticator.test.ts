import type { Caller } from '@pando/core/caller'
import { Refusal } from '@pando/core/refusal'
import { readConfiguration } from '@pando/config/read-configuration'
import * as fc from 'fast-check'
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { demoKeys, generateKeys } from './api-keys.ts'
import { createAuthenticator } from './authenticator.ts'
import { jwtOptions } from './config.ts'
import { createKeyRing, type KeyRing, toKeys } from './key-ring.ts'
import { hmacSigningKey, importSigningKey, signJwt } from './sign-jwt.ts'
import { hmacKey, importJwk, type Jwk } from './verification-key.ts'

const nowSeconds = 1_800_000_000
const secret = 'a-secret-of-this-test-with-more-than-32-bytes'
const otherSecret = 'another-secret-of-this-test-with-32-bytes-and-more'
const opaque = { publishableKey: 'sb_publishable_one', secretKey: 'sb_secret_two' }

function createTestClock() {
  let ms = nowSeconds * 1000
  return { now: () => ms, monotonic: () => ms, advance: (byMs: number) => void (ms += byMs) }
}

function setUp(
  environment: Record<string, string> = {},
  keys: KeyRing = createKeyRing(toKeys({ jwtSecret: secret, ...opaque })),
) {
  const clock = createTestClock()
  const { jwt: values } = readConfiguration({ jwt: jwtOptions }, { environment })
  return { clock, keys, authenticate: createAuthenticator({ keys, clock, values }) }
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs whatever it is given, also what a careful library would refuse to. */
function forge(header: unknown, payload: string | object, key: string | KeyObject = secret): string {
  const body = typeof payload === 'string' ? Buffer.from(payload).toString('base64url') : base64url(payload)
  const input = `${base64url(header)}.${body}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

const hs256 = { alg: 'HS256', typ: 'JWT' }
const user = { role: 'authenticated', sub: 'u1', exp: nowSeconds + 3600 }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function codeOf(attempt: () => Caller | Promise<Caller>): Promise<string> {
  try {
    const caller = await attempt()
    return `admitted as ${caller.role}`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return `${error.code}: ${error.message}`
  }
}

function jwkPair(type: 'RS256' | 'ES256', kid: string) {
  const pair =
    type === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    pair,
    publicJwk: { ...pair.publicKey.export({ format: 'jwk' }), kid } as Jwk,
    signing: importSigningKey({ ...pair.privateKey.export({ format: 'jwk' }), kid, alg: type } as Parameters<
      typeof importSigningKey
    >[0]),
  }
}
const rsa = jwkPair('RS256', 'rsa-1')
const ec = jwkPair('ES256', 'ec-1')

describe('who calls', () => {
  it.each([
    ['nothing', {}, 'admitted as anon'],
    ['a publishable key', { apikey: opaque.publishableKey }, 'admitted as anon'],
    ['a secret key', { apikey: opaque.secretKey }, 'admitted as service_role'],
    [
      'an opaque key also as Bearer',
      { ...bearer(opaque.secretKey), apikey: opaque.secretKey },
      'admitted as service_role',
    ],
    ['an opaque key as Bearer alone', bearer(opaque.secretKey), 'admitted as anon'],
    ['an opaque key nobody knows', { apikey: 'sb_secret_guess' }, 'key.unknown: Invalid API key'],
    ['a key that is nothing', { apikey: 'hello' }, 'key.unknown: Invalid API key'],
    ['another scheme', { authorization: 'Basic dTpw' }, 'admitted as anon'],
    ['a legacy key', { apikey: forge(hs256, { role: 'service_role' }) }, 'admitted as service_role'],
    [
      'a user token beside a secret key',
      { ...bearer(forge(hs256, user)), apikey: opaque.secretKey },
      'admitted as authenticated',
    ],
    ['a token in a lower-case scheme', { authorization: `bearer ${forge(hs256, user)}` }, 'admitted as authenticated'],
    ['a token without role', bearer(forge(hs256, { sub: 'x' })), 'admitted as anon'],
    [
      'a bad token beside a good key',
      { ...bearer('x.y.z'), apikey: opaque.secretKey },
      'token.malformed: JWT is malformed: its header is not base64url',
    ],
  ])('%s', async (_name, credentials, expected) => {
    const { authenticate } = setUp()
    expect(await codeOf(() => authenticate(credentials))).toBe(expected)
  })

  it('shares one frozen caller among requests with one token, and keeps the claims text as it was signed', async () => {
    const { authenticate } = setUp()
    const text = '{ "role":"authenticated", "big":12345678901234567890 }'
    const token = forge(hs256, text)
    const caller = await authenticate(bearer(token))
    expect(caller.claimsJson).toBe(text)
    expect(authenticate(bearer(token))).toBe(caller)
    expect(Object.isFrozen(caller) && Object.isFrozen(caller.claims)).toBe(true)
  })

  it('can refuse requests without key and token', async () => {
    const { authenticate } = setUp({ PANDO_JWT_ANONYMOUS_ALLOWED: 'false' })
    expect(await codeOf(() => authenticate({}))).toBe('token.claims: Anonymous access is disabled')
    expect(await codeOf(() => authenticate({ apikey: opaque.publishableKey }))).toBe('admitted as anon')
  })
})

describe('who is remembered', () => {
  it('is a key of the installation, or a token that was verified and is still good; nothing is verified for it', async () => {
    const { authenticate, clock } = setUp()
    const token = forge(hs256, user)
    expect(authenticate.recall(bearer(token))).toBeUndefined()
    const caller = await authenticate(bearer(token))
    expect(authenticate.recall(bearer(token))).toBe(caller)
    expect(authenticate.recall({ authorization: `Bearer ${opaque.secretKey}`, apikey: opaque.secretKey })?.role).toBe(
      'service_role',
    )
    for (const apikey of [undefined, '', 'sb_secret_other', `${token}x`])
      expect(authenticate.recall({ apikey })).toBeUndefined()
    clock.advance(3_700_000)
    expect(authenticate.recall(bearer(token))).toBeUndefined()
  })
})

describe('tokens that are refused', () => {
  it.each([
    ['two parts', 'a.b', 'token.malformed: Expected 3 parts in JWT; got 2'],
    ['nothing', '', 'token.malformed: Empty JWT is sent in Authorization header'],
    [
      'alg none without signature',
      `${base64url({ alg: 'none' })}.${base64url(user)}.`,
      'token.invalid: Wrong or unsupported encoding algorithm',
    ],
    ['alg NONE', forge({ alg: 'NONE' }, user), 'token.invalid: Wrong or unsupported encoding algorithm'],
    ['alg HS512', forge({ alg: 'HS512' }, user), 'token.invalid: Wrong or unsupported encoding algorithm'],
    ['alg as an array', forge({ alg: ['HS256'] }, user), 'token.malformed: JWT is malformed: its header has no alg'],
    [
      'an RS256 token when there is no RSA key',
      forge({ alg: 'RS256' }, user),
      'token.invalid: No suitable key or wrong key type',
    ],
    ['another secret', forge(hs256, user, otherSecret), 'token.invalid: JWT cryptographic operation failed'],
    ['crit', forge({ ...hs256, crit: ['exp'] }, user), 'token.malformed: JWT is malformed: its header has crit'],
    ['a leading space', ` ${forge(hs256, user)}`, 'token.malformed: JWT is malformed: its header is not base64url'],
    ['padding', `${forge(hs256, user)}=`, 'token.malformed: JWT is malformed: its signature is not base64url'],
    ['an array as claims', forge(hs256, '[]'), 'token.malformed: JWT is malformed: its payload is not a JSON object'],
    ['expired beyond the leeway', forge(hs256, { ...user, exp: nowSeconds - 31 }), 'token.expired: JWT expired'],
    ['not yet valid', forge(hs256, { ...user, nbf: nowSeconds + 31 }), 'token.claims: JWT not yet valid'],
    ['issued at future', forge(hs256, { ...user, iat: nowSeconds + 31 }), 'token.claims: JWT issued at future'],
    ['exp as text', forge(hs256, { ...user, exp: '9999999999' }), "token.claims: The JWT 'exp' claim must be a number"],
    [
      'aud as a number',
      forge(hs256, { ...user, aud: 5 }),
      "token.claims: The JWT 'aud' claim must be a string or an array of strings",
    ],
    [
      'role as an array',
      forge(hs256, { role: ['service_role'] }),
      "token.claims: The JWT 'role' claim must be a string",
    ],
    [
      'a huge token',
      forge(hs256, { ...user, pad: 'x'.repeat(20_000) }),
      'token.malformed: JWT is longer than 16384 bytes',
    ],
  ])('%s', async (_name, token, expected) => {
    const { authenticate } = setUp()
    expect(await codeOf(() => authenticate(bearer(token)))).toBe(expected)
  })

  it.each([
    '{"role":"anon","role":"service_role"}',
    '{"role":"anon","\\u0072ole":"service_role"}',
    '{"a":{"b":1,"b":2}}',
  ])('duplicate members: %s', async (payload) => {
    const { authenticate } = setUp()
    expect(await codeOf(() => authenticate(bearer(forge(hs256, payload))))).toContain('unique members')
  })

  it('accepts what the leeway of 30 seconds allows', async () => {
    const { authenticate } = setUp()
    const edge = { role: 'anon', exp: nowSeconds - 30, nbf: nowSeconds + 30, iat: nowSeconds + 30 }
    expect(await codeOf(() => authenticate(bearer(forge(hs256, edge))))).toBe('admitted as anon')
  })

  it('checks the audience when one is set', async () => {
    const { authenticate } = setUp({ PANDO_JWT_AUDIENCE: 'app' })
    const withAudience = (aud: unknown) => codeOf(() => authenticate(bearer(forge(hs256, { ...user, aud }))))
    expect(await withAudience('app')).toBe('admitted as authenticated')
    expect(await withAudience(['x', 'app'])).toBe('admitted as authenticated')
    expect(await withAudience([])).toBe('admitted as authenticated')
    expect(await withAudience('other')).toBe('token.claims: JWT not in audience')
  })
})

describe('keys', () => {
  const ring = () =>
    createKeyRing(toKeys({ jwtSecret: secret }, { jwks: JSON.stringify({ keys: [rsa.publicJwk, ec.publicJwk] }) }))

  it('verify RS256 and ES256 by kid', async () => {
    const { authenticate } = setUp({}, ring())
    for (const { signing } of [rsa, ec])
      expect(await codeOf(async () => authenticate(bearer(await signJwt(user, signing))))).toBe(
        'admitted as authenticated',
      )
  })

  it('are bound to their algorithm: a public key is no HMAC secret, in no spelling', async () => {
    const { authenticate } = setUp({}, ring())
    const { publicKey } = rsa.pair
    const spellings = [
      publicKey.export({ type: 'spki', format: 'pem' }) as string,
      (publicKey.export({ type: 'spki', format: 'pem' }) as string).trim(),
      publicKey.export({ type: 'pkcs1', format: 'pem' }) as string,
      JSON.stringify(rsa.publicJwk),
      String(rsa.publicJwk.n),
    ]
    for (const spelling of spellings)
      for (const kid of ['rsa-1', undefined])
        expect(await codeOf(() => authenticate(bearer(forge({ alg: 'HS256', kid }, user, spelling))))).toMatch(
          /^token\.invalid/,
        )
    const es = forge({ alg: 'ES256', kid: 'rsa-1' }, user)
    expect(await codeOf(() => authenticate(bearer(es)))).toMatch(/^token\.invalid/)
  })

  it('that are removed or rotated take their cached tokens with them at once', async () => {
    const { authenticate, keys } = setUp()
    const token = forge(hs256, user)
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('admitted as authenticated')
    keys.replace(toKeys({ jwtSecret: otherSecret }))
    expect(await codeOf(() => authenticate(bearer(token)))).toMatch(/^token\.invalid/)
    expect(await codeOf(() => authenticate({ apikey: opaque.secretKey }))).toBe('key.unknown: Invalid API key')
    keys.replace(toKeys({ jwtSecret: secret }))
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('admitted as authenticated')
  })

  it('with an end verify until then, whatever their tokens say', async () => {
    const retired = { ...ec.publicJwk, exp: nowSeconds + 60 }
    const { authenticate, clock } = setUp({}, createKeyRing(toKeys({}, { jwks: JSON.stringify({ keys: [retired] }) })))
    const token = await signJwt(user, ec.signing)
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('admitted as authenticated')
    clock.advance(60_001)
    expect(await codeOf(() => authenticate(bearer(token)))).toMatch(/^token\.invalid/)
    expect(() => importJwk({ ...ec.publicJwk, exp: 'soon' })).toThrow('its exp is not a number')
  })

  it('that are added leave cached tokens alone', async () => {
    const { authenticate, keys } = setUp()
    const token = forge(hs256, user)
    const caller = await authenticate(bearer(token))
    keys.replace(toKeys({ jwtSecret: secret }, { jwks: JSON.stringify({ keys: [ec.publicJwk] }) }))
    expect(authenticate(bearer(token))).toBe(caller)
  })

  it('do not keep a token alive past its exp', async () => {
    const { authenticate, clock } = setUp()
    const token = forge(hs256, { ...user, exp: nowSeconds + 10 })
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('admitted as authenticated')
    clock.advance(40_000)
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('admitted as authenticated')
    clock.advance(1)
    expect(await codeOf(() => authenticate(bearer(token)))).toBe('token.expired: JWT expired')
  })

  it.each([
    ['short', () => hmacKey('x'.repeat(31)), '31 bytes'],
    ['empty', () => hmacKey(''), '0 bytes'],
    ['with white space', () => hmacKey(`${secret}\n`), 'white space'],
    ['a PEM key', () => hmacKey('-----BEGIN PUBLIC KEY-----'.padEnd(40, 'x')), 'PEM'],
    ['a short oct key', () => importJwk({ kty: 'oct', k: 'c2hvcnQ' }), '5 bytes'],
    ['for encryption', () => importJwk({ ...rsa.publicJwk, use: 'enc' }), 'use enc'],
    [
      'of another algorithm than its type',
      () => importJwk({ ...rsa.publicJwk, alg: 'HS256' }),
      'alg HS256 is not RS256',
    ],
    ['of another curve', () => importJwk({ kty: 'EC', crv: 'P-384' }), 'P-384'],
    [
      'too weak',
      () => importJwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }) as Jwk),
      '1024 bits',
    ],
  ])('refuse to boot: %s', (_name, create, message) => expect(create).toThrow(message))
})

describe('properties', () => {
  it('no mutation of a token verifies, with or without the original in the cache', async () => {
    const { authenticate } = setUp()
    const token = forge(hs256, { ...user, email: 'a@b.c' })
    await authenticate(bearer(token))
    const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \u00e9')
    const mutation = fc.tuple(fc.nat(token.length), fc.integer({ min: 0, max: 3 }), fc.array(letter, { maxLength: 3 }))
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        let mutated = token
        for (const [at, removed, inserted] of mutations)
          mutated = mutated.slice(0, at) + inserted.join('') + mutated.slice(at + removed)
        fc.pre(mutated !== token && !mutated.startsWith('sb_'))
        expect(await codeOf(() => authenticate(bearer(mutated)))).toMatch(/^token\./)
      }),
      { numRuns: 2000 },
    )
  })

  it('the cache never returns the caller of another token, also while it evicts', async () => {
    const { authenticate } = setUp({ PANDO_JWT_CACHED_TOKENS_MAX: '8' })
    const tokens = Array.from({ length: 40 }, (_, index) => forge(hs256, { ...user, sub: `u${index}` }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(39), { maxLength: 60 }), async (order) => {
        for (const index of order) expect((await authenticate(bearer(tokens[index]!))).claims.sub).toBe(`u${index}`)
      }),
    )
  })

  it('any text as credentials is admitted as anon or refused, never a fault', async () => {
    const { authenticate } = setUp()
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (authorization, apikey) => {
        expect(await codeOf(() => authenticate({ authorization, apikey }))).toMatch(/^(admitted as anon|token\.|key\.)/)
        expect(await codeOf(() => authenticate(bearer(authorization)))).toMatch(/^(admitted as anon|token\.|key\.)/)
      }),
    )
  })
})

describe('keys of a project', () => {
  it('are the well-known ones for the well-known secret, and verify', async () => {
    const demo = await demoKeys()
    expect(demo.anonKey).toBe(
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0',
    )
    expect(demo.serviceRoleKey).toBe(
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImV4cCI6MTk4MzgxMjk5Nn0.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU',
    )
    const { authenticate } = setUp({}, createKeyRing(toKeys(demo)))
    const roles = [demo.anonKey, demo.serviceRoleKey, demo.publishableKey, demo.secretKey].map((apikey) =>
      codeOf(() => authenticate({ apikey })),
    )
    expect(await Promise.all(roles)).toEqual(
      ['anon', 'service_role', 'anon', 'service_role'].map((role) => `admitted as ${role}`),
    )
  })

  it('are different each time they are generated, and verify', async () => {
    const [one, two] = await Promise.all([generateKeys(nowSeconds * 1000), generateKeys(nowSeconds * 1000)])
    expect(new Set([...Object.values(one!), ...Object.values(two!)]).size).toBe(10)
    const { authenticate } = setUp({}, createKeyRing(toKeys(one!)))
    expect(await codeOf(() => authenticate({ apikey: one!.serviceRoleKey }))).toBe('admitted as service_role')
    expect(await codeOf(() => authenticate({ apikey: one!.secretKey }))).toBe('admitted as service_role')
  })

  it('cannot be signed with a short secret', () => expect(() => hmacSigningKey('short')).toThrow('at least 32'))
})
