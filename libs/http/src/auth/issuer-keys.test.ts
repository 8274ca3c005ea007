import { readConfiguration } from '@pando/config/read-configuration'
import { Refusal } from '@pando/core/refusal'
import { createServer, type Server } from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from './authenticator.ts'
import { jwtOptions } from './config.ts'
import { defaultIssuerLimits } from './issuer-keys.ts'
import { createKeyRing, toKeys } from './key-ring.ts'
import { hmacSigningKey, importSigningKey, signJwt } from './sign-jwt.ts'

const secret = 'a-secret-of-this-test-with-more-than-32-bytes'
const nowMs = 1_800_000_000_000

const createPair = (kid: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid },
    signing: importSigningKey({ ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256' } as Parameters<
      typeof importSigningKey
    >[0]),
  }
}
type Pair = ReturnType<typeof createPair>

/** An issuer on loopback whose answer the test sets. */
let server: Server
let fetches = 0
let answer: { status: number; body: string; location?: string }
const publish = (...pairs: Pair[]): void => {
  answer = { status: 200, body: JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) }) }
}

beforeEach(async () => {
  fetches = 0
  server = createServer((_request, response) => {
    fetches += 1
    response
      .writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location })
      .end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))

function setUp() {
  let ms = nowMs
  const clock = { now: () => ms, monotonic: () => ms }
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const { jwt: values } = readConfiguration({ jwt: jwtOptions }, {})
  const authenticate = createAuthenticator({
    keys: createKeyRing(toKeys({ jwtSecret: secret })),
    clock,
    values,
    issuers: [{ issuer: 'https://id.example', jwksUrl, audience: 'app' }],
    issuerLimits: { ...defaultIssuerLimits, timeoutMs: 2000 },
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
const sign = async (pair: Pair, extra: object = {}): Promise<string> =>
  signJwt({ ...claims, ...extra }, await pair.signing)

describe('tokens of another issuer', () => {
  it('verify with its published keys, which are fetched once', async () => {
    const pair = createPair('one')
    publish(pair)
    const { attempt } = setUp()
    const tokens = await Promise.all([sign(pair), sign(pair, { sub: 'a' }), sign(pair, { sub: 'b' })])
    expect(await Promise.all(tokens.map(attempt))).toEqual(Array(3).fill('admitted as authenticated'))
    expect(fetches).toBe(1)
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
