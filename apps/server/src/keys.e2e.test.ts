import { generateKeyPair, exportJWK, SignJWT, type CryptoKey } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '@supabase/supabase-js'
import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { startLoopback } from './testing/loopback.ts'
import { ask, startApi, type Api } from './testing/start-api.ts'

let api: Api
const pairs: Record<string, { kid: string; key: CryptoKey }> = {}
beforeAll(async () => {
  const keys: object[] = []
  for (const algorithm of ['ES256', 'RS256']) {
    const { publicKey, privateKey } = await generateKeyPair(algorithm)
    const kid = `key-${algorithm}`
    keys.push({ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' })
    pairs[algorithm] = { kid, key: privateKey }
  }
  api = await startApi({
    sql: `
      create function public.who() returns json language sql stable as $$
        select json_build_object('role', current_user, 'uid', auth.uid(), 'email', auth.jwt() ->> 'email', 'claim', auth.role()) $$;
    `,
    environment: { PANDO_JWT_JWKS: JSON.stringify({ keys }), PANDO_JWT_AUDIENCE: 'authenticated' },
  })
})
afterAll(() => api.stop())

const uid = '7b0f2c1e-64b5-4d38-9a49-2f0c6f3b1d11'
const who = (headers: Record<string, string>) => ask(`${api.url}/rest/v1/rpc/who`, { headers })
const roleWith = async (headers: Record<string, string>): Promise<unknown> => {
  const { status, body } = await who(headers)
  return status === 200 ? (body as { role: string }).role : [status, (body as { code: string }).code]
}
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

async function signWith(algorithm: string, claims: Record<string, unknown>): Promise<string> {
  const { kid, key } = pairs[algorithm]!
  return new SignJWT({ role: 'authenticated', exp: inSeconds(60), ...claims })
    .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' })
    .sign(key)
}

describe('keys of a project', () => {
  it('anon and service_role as JWTs, in either header', async () => {
    const { anonKey, serviceRoleKey } = api.keys
    expect(await roleWith({ apikey: anonKey })).toBe('anon')
    expect(await roleWith({ apikey: serviceRoleKey })).toBe('service_role')
    expect(await roleWith(bearer(serviceRoleKey))).toBe('service_role')
    expect(await roleWith({ apikey: anonKey, ...bearer(anonKey) })).toBe('anon')
  })

  it('publishable and secret keys, as new and old clients send them', async () => {
    const { publishableKey, secretKey } = api.keys
    expect(await roleWith({ apikey: publishableKey })).toBe('anon')
    expect(await roleWith({ apikey: secretKey })).toBe('service_role')
    expect(await roleWith({ apikey: publishableKey, ...bearer(publishableKey) })).toBe('anon')
    expect(await roleWith({ apikey: secretKey, ...bearer(secretKey) })).toBe('service_role')
  })

  it.each(['anonKey', 'publishableKey'] as const)('the official client with the %s', async (name) => {
    const client = createClient(api.url, api.keys[name], { auth: { persistSession: false } })
    expect((await client.rpc('who')).data).toMatchObject({ role: 'anon' })
  })

  it.each(['serviceRoleKey', 'secretKey'] as const)('the official client with the %s', async (name) => {
    const client = createClient(api.url, api.keys[name], { auth: { persistSession: false } })
    expect((await client.rpc('who')).data).toMatchObject({ role: 'service_role' })
  })

  it('nobody in particular is anon', async () => {
    expect(await roleWith({})).toBe('anon')
  })

  it('the key may come in the address', async () => {
    const { status } = await ask(`${api.url}/rest/v1/rpc/who?apikey=${api.keys.anonKey}`)
    expect(status).toBe(200)
  })
})

describe('tokens of users', () => {
  it('HS256 with the secret of the project', async () => {
    const token = await api.sign({ sub: uid, email: 'ada@sea.example' })
    expect((await who({ apikey: api.keys.anonKey, ...bearer(token) })).body).toEqual({
      role: 'authenticated',
      uid,
      email: 'ada@sea.example',
      claim: 'authenticated',
    })
    expect((await api.client(token).rpc('who')).data).toMatchObject({ uid })
  })

  it.each(['ES256', 'RS256'])('%s with a key of the set', async (algorithm) => {
    expect((await who(bearer(await signWith(algorithm, { sub: uid })))).body).toMatchObject({
      role: 'authenticated',
      uid,
    })
  })

  it('the bearer outranks the apikey', async () => {
    const token = await api.sign({ sub: uid })
    expect(await roleWith({ apikey: api.keys.serviceRoleKey, ...bearer(token) })).toBe('authenticated')
    expect(await roleWith({ apikey: api.keys.secretKey, ...bearer(token) })).toBe('authenticated')
    expect(await roleWith({ apikey: api.keys.anonKey, ...bearer(api.keys.serviceRoleKey) })).toBe('service_role')
  })

  it('the client gives the token of its session', async () => {
    const token = await api.sign({ sub: uid })
    const client = createClient(api.url, api.keys.publishableKey, { accessToken: () => Promise.resolve(token) })
    expect((await client.rpc('who')).data).toMatchObject({ role: 'authenticated', uid })
  })

  it('without a role is anon', async () => {
    expect(await roleWith(bearer(await api.sign({ role: undefined, sub: uid })))).toBe('anon')
  })

  it('of one user never shows in the request of another', async () => {
    const users = Array.from({ length: 40 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`)
    const tokens = await Promise.all(users.map((sub) => api.sign({ sub })))
    const seen = await Promise.all(tokens.map(async (token) => (await who(bearer(token))).body as { uid: string }))
    expect(seen.map((one) => one.uid)).toEqual(users)
    expect((await who({})).body).toMatchObject({ uid: null })
  })
})

describe('tokens that are refused', () => {
  const refused = async (token: string): Promise<unknown[]> => {
    const { status, body, headers } = await who({ apikey: api.keys.anonKey, ...bearer(token) })
    const { code, message } = body as { code: string; message: string }
    return [status, code, message, headers.get('www-authenticate')?.startsWith('Bearer')]
  }

  it('expired, not yet valid, issued in the future', async () => {
    expect(await refused(await api.sign({ exp: inSeconds(-60) }))).toEqual([401, 'PGRST303', 'JWT expired', true])
    expect(await refused(await api.sign({ nbf: inSeconds(120) }))).toEqual([401, 'PGRST303', 'JWT not yet valid', true])
    expect(await refused(await api.sign({ iat: inSeconds(120) }))).toEqual([
      401,
      'PGRST303',
      'JWT issued at future',
      true,
    ])
  })

  it('clocks may differ by half a minute', async () => {
    expect(await roleWith(bearer(await api.sign({ exp: inSeconds(-10) })))).toBe('authenticated')
  })

  it('for another audience', async () => {
    expect(await refused(await api.sign({ aud: 'somebody else' }))).toEqual([
      401,
      'PGRST303',
      'JWT not in audience',
      true,
    ])
  })

  it('signed by somebody else, altered, or no token at all', async () => {
    const foreign = await signJwt({ role: 'service_role', exp: inSeconds(60) }, hmacSigningKey('x'.repeat(40)))
    expect((await refused(foreign)).slice(0, 2)).toEqual([401, 'PGRST301'])
    const [header, , signature] = (await api.sign({ sub: uid })).split('.')
    const payload = Buffer.from(JSON.stringify({ role: 'service_role' })).toString('base64url')
    expect((await refused(`${header}.${payload}.${signature}`)).slice(0, 2)).toEqual([401, 'PGRST301'])
    expect((await refused('not.a.token')).slice(0, 2)).toEqual([401, 'PGRST301'])
    expect((await refused('garbage')).slice(0, 2)).toEqual([401, 'PGRST301'])
  })

  it('without a signature, or with the public key as a secret', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ role: 'service_role' })}.`
    expect((await refused(unsigned)).slice(0, 2)).toEqual([401, 'PGRST301'])
    const confused = await new SignJWT({ role: 'service_role' })
      .setProtectedHeader({ alg: 'HS256', kid: 'key-ES256' })
      .sign(new TextEncoder().encode('key-ES256'.repeat(8)))
    expect((await refused(confused)).slice(0, 2)).toEqual([401, 'PGRST301'])
  })

  it('with a key of its own in its header, which nobody fetches either', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'key-ES256', alg: 'ES256' }
    const asked: string[] = []
    const theirs = await startLoopback(({ url }) => {
      asked.push(url.pathname)
      return { json: { keys: [jwk] } }
    })
    const jku = `${theirs.url}/keys.json`
    try {
      for (const named of [{ jwk }, { jku }, { x5u: `${theirs.url}/chain.pem` }]) {
        const header = { alg: 'ES256', kid: 'key-ES256', ...named }
        const claims = new SignJWT({ role: 'service_role', iss: theirs.url, exp: inSeconds(60) })
        const token = await claims.setProtectedHeader(header).sign(privateKey)
        expect((await refused(token)).slice(0, 2)).toEqual([401, 'PGRST301'])
      }
      expect(asked).toEqual([])
    } finally {
      await theirs.stop()
    }
  })

  it('an opaque key that nobody knows', async () => {
    expect(await who({ apikey: 'sb_secret_0000000000000000000000_00000000' })).toMatchObject({
      status: 401,
      body: { message: 'Invalid API key' },
    })
  })
})

describe('an installation that asks for a key', () => {
  it('refuses requests without one', async () => {
    const closed = await startApi({ environment: { PANDO_GATEWAY_API_KEY_REQUIRED: 'true' } })
    const status = async (headers: Record<string, string>) =>
      (await ask(`${closed.url}/rest/v1/ships?limit=1`, { headers })).status
    const seen = [
      await status({}),
      await status({ apikey: 'nonsense' }),
      await status({ apikey: closed.keys.publishableKey }),
      await status({ apikey: closed.keys.anonKey }),
    ]
    await closed.stop()
    expect(seen).toEqual([401, 401, 200, 200])
  })
})
