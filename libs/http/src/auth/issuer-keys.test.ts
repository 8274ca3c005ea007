import { readConfiguration } from '@pando/config/read-configuration'
import { Refusal } from '@pando/core/refusal'
import { createServer, type Server } from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from './authenticator.ts'
import { jwtOptions } from './config.ts'
import type { IssuerPolicy } from './issuer-keys.ts'
import { issuerOptions, toIssuerLimits } from './issuer-options.ts'
import { createKeyRing, toKeys } from './key-ring.ts'
import { hmacSigningKey, importSigningKey, signJwt } from './sign-jwt.ts'

const secret = 'a-secret-of-this-test-with-more-than-32-bytes'
const nowMs = 1_800_000_000_000

const createPair = (kid: string, alg: 'ES256' | 'RS256' = 'ES256') => {
  const { publicKey, privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid },
    signing: importSigningKey({ ...privateKey.export({ format: 'jwk' }), kid, alg } as Parameters<
      typeof importSigningKey
    >[0]),
  }
}
type Pair = ReturnType<typeof createPair>

/** An issuer on loopback whose answer the test sets. */
let server: Server
let fetches = 0
let discovery: { issuer?: unknown; jwks_uri?: unknown }
let answer: { status: number; body: string; location?: string }
const publish = (...pairs: Pair[]): void => {
  answer = { status: 200, body: JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) }) }
}

beforeEach(async () => {
  fetches = 0
  discovery = {}
  server = createServer((request, response) => {
    if (request.url === '/tenant/.well-known/openid-configuration') return response.end(JSON.stringify(discovery))
    fetches += 1
    response
      .writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location })
      .end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))
const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function setUp(rules: Partial<IssuerPolicy> = {}) {
  let ms = nowMs
  const clock = { now: () => ms, monotonic: () => ms }
  const policy = { issuer: 'https://id.example', jwksUrl: `${origin()}/jwks`, audiences: ['app', 'app-2'], ...rules }
  const { jwt: values, issuers } = readConfiguration({ jwt: jwtOptions, issuers: issuerOptions }, {})
  const authenticate = createAuthenticator({
    keys: createKeyRing(toKeys({ jwtSecret: secret })),
    clock,
    values,
    issuers: { policies: [policy], limits: { ...toIssuerLimits(issuers), timeoutMs: 2000 } },
  })
  const attempt = async (token: string): Promise<string> => {
    try {
      return `admitted as ${(await authenticate({ authorization: `Bearer ${token}` })).role}`
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return `${error.status} ${error.code}`
    }
  }
  return { attempt, advance: (byMs: number) => void (ms += byMs) }
}

const claims = { iss: 'https://id.example', aud: 'app', role: 'authenticated', exp: nowMs / 1000 + 7 * 86_400 }
const sign = async (pair: Pair, extra: object = {}): Promise<string> => signJwt({ ...claims, ...extra }, pair.signing)

describe('tokens of another issuer', () => {
  it('verify with its published keys, which are fetched once', async () => {
    const pair = createPair('one')
    publish(pair)
    const { attempt } = setUp()
    const tokens = await Promise.all([sign(pair), sign(pair, { sub: 'a' }), sign(pair, { sub: 'b' })])
    expect(await Promise.all(tokens.map(attempt))).toEqual(Array(3).fill('admitted as authenticated'))
    expect(fetches).toBe(1)
  })

  it('are signed with RS256 or ES256', async () => {
    const pairs = [createPair('one'), createPair('two', 'RS256')]
    publish(...pairs)
    const { attempt } = setUp()
    for (const pair of pairs) expect(await attempt(await sign(pair))).toBe('admitted as authenticated')
  })

  it('may be for any of its audiences, in the claim that the issuer uses', async () => {
    const pair = createPair('one')
    publish(pair)
    const { attempt } = setUp({ audienceClaims: ['aud', 'client_id'] })
    expect(await attempt(await sign(pair, { aud: ['elsewhere', 'app-2'] }))).toBe('admitted as authenticated')
    expect(await attempt(await sign(pair, { aud: undefined, client_id: 'app' }))).toBe('admitted as authenticated')
    expect(await attempt(await sign(pair, { aud: 'elsewhere', client_id: 'app' }))).toBe('401 token.claims')
    expect(await attempt(await sign(pair, { aud: [], client_id: 'elsewhere' }))).toBe('401 token.claims')
    expect(await attempt(await sign(pair, { aud: [['app']] }))).toBe('401 token.claims')
  })

  it('need no audience where the issuer works for one app, and have the given role if they have none', async () => {
    const pair = createPair('one')
    publish(pair)
    const { attempt } = setUp({ audiences: null, role: 'anon' })
    expect(await attempt(await sign(pair, { aud: undefined, role: undefined }))).toBe('admitted as anon')
  })

  it('need its audience and a role, and no other issuer gets its keys', async () => {
    const pair = createPair('one')
    publish(pair)
    const { attempt } = setUp()
    expect(await attempt(await sign(pair, { aud: 'another app' }))).toBe('401 token.claims')
    expect(await attempt(await sign(pair, { aud: undefined }))).toBe('401 token.claims')
    expect(await attempt(await sign(pair, { role: undefined }))).toBe('401 token.claims')
    expect(await attempt(await sign(pair, { iss: 'https://elsewhere.example' }))).toBe('401 token.invalid')
    expect(await attempt(await signJwt(claims, hmacSigningKey(secret)))).toBe('401 token.invalid')
  })

  it('with an unknown kid cause at most one fetch in 30 seconds', async () => {
    const [one, two] = [createPair('one'), createPair('two')]
    publish(one)
    const { attempt, advance } = setUp()
    expect(await attempt(await sign(one))).toBe('admitted as authenticated')
    publish(one, two)
    for (const sub of ['a', 'b', 'c']) expect(await attempt(await sign(two, { sub }))).toBe('401 token.invalid')
    expect(fetches).toBe(1)
    advance(30_000)
    expect(await attempt(await sign(two))).toBe('admitted as authenticated')
    expect(fetches).toBe(2)
  })

  it('die with a key that the issuer withdraws', async () => {
    const [one, two] = [createPair('one'), createPair('two')]
    publish(one)
    const { attempt, advance } = setUp()
    const token = await sign(one)
    expect(await attempt(token)).toBe('admitted as authenticated')
    publish(two)
    advance(30_000)
    expect(await attempt(await sign(two))).toBe('admitted as authenticated')
    expect(await attempt(token)).toBe('401 token.invalid')
  })

  it('answer 503 while keys cannot be fetched, and outlive a short outage once they were', async () => {
    const pair = createPair('one')
    answer = { status: 500, body: 'down' }
    const { attempt, advance } = setUp()
    expect(await attempt(await sign(pair))).toBe('503 token.keys_unavailable')
    publish(pair)
    advance(30_000)
    expect(await attempt(await sign(pair))).toBe('admitted as authenticated')
    answer = { status: 500, body: 'down' }
    advance(3_600_000)
    expect(await attempt(await sign(pair, { sub: 'later' }))).toBe('admitted as authenticated')
    advance(2 * 86_400_000)
    expect(await attempt(await sign(pair))).toBe('503 token.keys_unavailable')
  })

  it('verify with the keys that its discovery document names', async () => {
    const pair = createPair('one')
    publish(pair)
    const issuer = `${origin()}/tenant/`
    discovery = { issuer, jwks_uri: `${origin()}/somewhere/keys` }
    const { attempt } = setUp({ issuer, jwksUrl: undefined })
    expect(await attempt(await sign(pair, { iss: issuer }))).toBe('admitted as authenticated')
    expect(await attempt(await sign(pair, { iss: issuer.slice(0, -1) }))).toBe('401 token.invalid')
  })

  it.each([
    ['about somebody else', { issuer: 'https://id.example' }],
    ['that names no keys', { jwks_uri: undefined }],
    ['that names a file', { jwks_uri: 'file:///etc/passwd' }],
  ])('do not believe a discovery document %s', async (_name, wrong) => {
    const pair = createPair('one')
    publish(pair)
    const issuer = `${origin()}/tenant`
    discovery = { issuer, jwks_uri: `${origin()}/jwks`, ...wrong }
    const { attempt } = setUp({ issuer, jwksUrl: undefined })
    expect(await attempt(await sign(pair, { iss: issuer }))).toBe('503 token.keys_unavailable')
    expect(fetches).toBe(0)
  })

  it.each([
    ['a redirect', { status: 302, body: '', location: 'http://127.0.0.1:1/' }],
    ['an endless document', { status: 200, body: ' '.repeat(300_000) }],
    ['no JWKS', { status: 200, body: '{}' }],
  ])('do not believe %s', async (_name, given) => {
    answer = given
    const { attempt } = setUp()
    expect(await attempt(await sign(createPair('one')))).toBe('503 token.keys_unavailable')
  })
})
