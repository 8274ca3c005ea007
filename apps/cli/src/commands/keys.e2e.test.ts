import { setTimeout as sleep } from 'node:timers/promises'

import { expect, it } from 'vitest'

import { runPando } from '../testing/run-pando.ts'
import { useDev } from '../testing/use-dev.ts'

const dev = useDev()

type Jwk = Record<string, unknown> & { readonly kid: string }

async function readJwks(): Promise<Jwk[]> {
  const response = await fetch(`${dev.ready('API_URL')}/auth/v1/.well-known/jwks.json`)
  return ((await response.json()) as { keys: Jwk[] }).keys
}

/** `pando dev` follows the file of keys, which takes a moment. */
async function readJwksOf(count: number): Promise<Jwk[]> {
  const keys = await readJwks()
  if (keys.length === count) return keys
  await sleep(20)
  return readJwksOf(count)
}

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as Jwk

it('tokens are signed by a key pair; another one takes over without a restart and without a sign-out', async () => {
  const client = dev.connect()
  const { data } = await client.auth.signUp({ email: 'ada@example.com', password: 'correct horse battery' })
  const before = data.session!.access_token
  const [old] = await readJwks()
  expect(old).toEqual({
    kid: headerOf(before).kid,
    kty: 'EC',
    crv: 'P-256',
    alg: 'ES256',
    use: 'sig',
    key_ops: ['verify'],
    x: expect.any(String),
    y: expect.any(String),
  })

  expect((await runPando(['keys', 'rotate'], { cwd: dev.cwd() })).code).toBe(0)
  const [latest, retired] = await readJwksOf(2)
  expect(retired).toMatchObject({ kid: old!.kid, exp: expect.any(Number) })
  expect((await client.auth.getUser(before)).data.user?.email).toBe('ada@example.com')
  const refreshed = await client.auth.refreshSession()
  expect(headerOf(refreshed.data.session!.access_token)).toMatchObject({ alg: 'ES256', kid: latest!.kid })
  expect((await client.auth.getClaims()).data?.claims.email).toBe('ada@example.com')
})
