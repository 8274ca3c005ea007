import { createClient } from '@supabase/supabase-js'
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, SignJWT } from 'jose'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, startApi, type Api } from './testing/start-api.ts'

let provider: Server
let issuer: string
let api: Api
let asked: string[] = []
const pairs = new Map<string, GenerateKeyPairResult>()

/** A provider of OpenID Connect on loopback: a discovery document, and the keys it names. */
async function startProvider(): Promise<void> {
  for (const algorithm of ['RS256', 'ES256']) pairs.set(algorithm, await generateKeyPair(algorithm))
  const jwks = await Promise.all(
    [...pairs].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, use: 'sig' })),
  )
  const documents: Record<string, () => object> = {
    '/realm/.well-known/openid-configuration': () => ({ issuer, jwks_uri: `${issuer}/keys` }),
    '/realm/keys': () => ({ keys: jwks }),
  }
  provider = createServer((request, response) => {
    asked.push(request.url!)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(documents[request.url!]?.() ?? {}))
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/realm`
}

beforeAll(async () => {
  await startProvider()
  api = await startApi({
    sql: `create function public.who() returns json language sql stable as $$
      select json_build_object('role', current_user, 'sub', auth.jwt() ->> 'sub') $$;`,
    environment: { PANDO_ISSUERS_OIDC: JSON.stringify([{ issuer, audience: ['app'], role: 'anon' }]) },
  })
})
afterAll(async () => {
  await api.stop()
  provider.close()
})

const inAMinute = (): number => Math.floor(Date.now() / 1000) + 60
const sign = (algorithm: string, claims: object = {}): Promise<string> =>
  new SignJWT({ iss: issuer, aud: 'app', sub: 'user|1', role: 'authenticated', exp: inAMinute(), ...claims })
    .setProtectedHeader({ alg: algorithm, kid: algorithm })
    .sign(pairs.get(algorithm)!.privateKey)
const who = (token: string) => ask(`${api.url}/rest/v1/rpc/who`, { headers: { Authorization: `Bearer ${token}` } })

describe('users of another provider', () => {
  it('call with its tokens through the official client; its keys are fetched once', async () => {
    for (const algorithm of pairs.keys()) {
      const accessToken = (): Promise<string> => sign(algorithm)
      const client = createClient(api.url, api.keys.publishableKey, { accessToken })
      expect((await client.rpc('who')).data).toEqual({ role: 'authenticated', sub: 'user|1' })
    }
    expect(asked).toEqual(['/realm/.well-known/openid-configuration', '/realm/keys'])
  })

  it('are told apart by issuer and audience', async () => {
    asked = []
    for (const claims of [{ aud: 'another app' }, { aud: undefined }])
      expect(await who(await sign('RS256', claims))).toMatchObject({ status: 401, body: { code: 'PGRST303' } })
    for (const iss of [`${issuer}/`, `${issuer}/other`, undefined])
      expect(await who(await sign('ES256', { iss }))).toMatchObject({ status: 401, body: { code: 'PGRST301' } })
    expect(asked).toEqual([])
  })

  it('have the role of the configuration without one of their own', async () => {
    expect((await who(await sign('RS256', { role: undefined }))).body).toEqual({ role: 'anon', sub: 'user|1' })
  })

  it('cannot be forged with the key of the installation', async () => {
    const token = await api.sign({ iss: issuer, aud: 'app' })
    expect(await who(token)).toMatchObject({ status: 401, body: { code: 'PGRST301' } })
  })
})
