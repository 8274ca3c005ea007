import { createAuthenticator } from '../../../libs/http/src/auth/authenticator.ts'
import { jwtOptions } from '../../../libs/http/src/auth/config.ts'
import { createKeyRing, toKeys } from '../../../libs/http/src/auth/key-ring.ts'
import { generateSigningJwk, importSigningKey, signJwt } from '../../../libs/http/src/auth/sign-jwt.ts'
import { readConfiguration } from '../../../libs/config/src/read-configuration.ts'
import { systemClock } from '../../../libs/core/src/clock.ts'
import { jwtVerify } from 'jose'
import { createPublicKey, type JsonWebKeyInput, randomUUID } from 'node:crypto'

/** How many access tokens (ES256) each verifies per second, on one core. */
export type TokenRates = {
  /** Pando, tokens that it has not seen. */
  readonly unseen: number
  /** Pando, tokens that came before: what most requests bring. */
  readonly seen: number
  readonly jose: number
}

const tokensMax = 5_000

/** Verification in this process, without HTTP: Pando's authenticator and the libraries that others use for it. */
export async function measureTokenRates(seconds: number): Promise<TokenRates> {
  const jwk = generateSigningJwk()
  const tokens = await signTokens(jwk)
  const { jwt: values } = readConfiguration({ jwt: jwtOptions }, {})
  const keys = createKeyRing(toKeys({}, { signingKeys: JSON.stringify([jwk]) }))
  const remembers = createAuthenticator({ keys, clock: systemClock, values })
  const forgets = createAuthenticator({ keys, clock: systemClock, values: { ...values, cachedTokensMax: 1 } })
  const publicKey = createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' })
  const rate = (verify: (token: string) => unknown): Promise<number> => measureRate(tokens, verify, seconds)
  return {
    unseen: await rate((token) => forgets({ authorization: `Bearer ${token}` })),
    seen: await rate((token) => remembers({ authorization: `Bearer ${token}` })),
    jose: await rate((token) => jwtVerify(token, publicKey)),
  }
}

async function signTokens(jwk: ReturnType<typeof generateSigningJwk>): Promise<string[]> {
  const key = importSigningKey(jwk)
  const iat = Math.floor(Date.now() / 1000)
  const common = { aud: 'authenticated', role: 'authenticated', iat, exp: iat + 3600, aal: 'aal1' }
  return Promise.all(
    Array.from({ length: tokensMax }, () => signJwt({ sub: randomUUID(), session_id: randomUUID(), ...common }, key)),
  )
}

/** A round over all tokens before it counts, so that all are as warm as they get. */
async function measureRate(
  tokens: readonly string[],
  verify: (token: string) => unknown,
  seconds: number,
): Promise<number> {
  for (const token of tokens) await verify(token)
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  let done = 0
  for (; performance.now() < endMs; done += 1) await verify(tokens[done % tokensMax]!)
  return done / ((performance.now() - startMs) / 1000)
}
