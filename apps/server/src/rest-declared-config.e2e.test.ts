import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isOnCitus } from './testing/spread-tables.ts'
import { harbour, startApi, type Api, type Asked, type Received } from './testing/start-api.ts'

/** A database that declares by a function whom its data API believes, and how it answers. */
const secret = Buffer.from('the lighthouse keeper knows them all').toString('base64')
const foreign = hmacSigningKey(Buffer.from(secret, 'base64').toString())
const stranger = `stranger_${process.pid}_${Math.floor(performance.now())}`
const declared = {
  db_anon_role: stranger,
  db_prepared_statements: 'false',
  db_max_rows: '3',
  jwt_aud: 'harbour',
  jwt_cache_max_entries: '0',
  jwt_role_claim_key: '.harbour.roles[?(@ ^== "auth")]',
  jwt_secret: secret,
  jwt_secret_is_base64: 'true',
  server_cors_allowed_origins: 'https://harbour.example, https://quay.example',
  server_timing_enabled: 'false',
  server_trace_header: 'X-Lantern',
}
const sql = `
  ${harbour}
  create function public.setting(name text) returns text language sql stable as $$ select current_setting(name, true) $$;
  create function public.prepared() returns int language sql as $$ select count(*)::int from pg_prepared_statements $$;
  create schema settings;
  grant usage on schema settings to authenticator;
  create function settings.declared() returns void language sql as $$
    ${Object.entries(declared)
      .map(([name, value]) => `select set_config('pgrst.${name}', '${value}', true);`)
      .join('\n')}
  $$;
  grant execute on function settings.declared() to authenticator;`

let api: Api
beforeAll(async () => {
  api = await startApi({ sql })
  await api.database.run(`
    create role ${stranger} nologin;
    grant ${stranger} to authenticator;
    grant usage on schema public to ${stranger};
    grant select on public.ships to ${stranger};
    alter role authenticator in database ${api.database.name} set pgrst.db_pre_config to 'settings.declared';
    alter role authenticator in database ${api.database.name} set pgrst.db_max_rows to '2';
    notify pgrst, 'reload config'`)
  await vi.waitUntil(async () => ((await ask('/ships')).body as unknown[]).length === 2, { timeout: 10_000 })
})
afterAll(async () => {
  await api.database.run(`drop owned by ${stranger}; drop role ${stranger}`)
  await api.stop()
})

/** Without any key. */
const ask = (path: string, asked?: Asked): Promise<Received> =>
  api.ask(path, { ...asked, headers: { apikey: '', ...asked?.headers } })
const withToken = async (token: string | Promise<string>): Promise<Received> =>
  ask('/rpc/setting?name=role', { headers: { Authorization: `Bearer ${await token}` } })
const roles = { harbour: { roles: ['none', 'authenticated'] } }

it('what the role says comes before what the function says', async () => {
  expect((await ask('/ships')).body).toHaveLength(2)
})

describe('who is believed', () => {
  it('without a token, or with one that names no role: the role for those', async () => {
    expect((await ask('/rpc/setting?name=role')).body).toBe(stranger)
    expect((await ask('/rpc/setting?name=request.jwt.claims')).body).toBe(JSON.stringify({ role: stranger }))
    expect((await withToken(api.sign({ aud: 'harbour' }))).body).toBe(stranger)
    expect(await ask('/sailors')).toMatchObject({ status: 401, body: { code: '42501' } })
  })

  it('the role is where the database says', async () => {
    expect((await withToken(api.sign({ aud: 'harbour', ...roles }))).body).toBe('authenticated')
  })

  it('a token that is for others is refused', async () => {
    const refused = { status: 401, body: { code: 'PGRST303', message: 'JWT not in audience' } }
    expect(await withToken(api.sign({ aud: 'another port', ...roles }))).toMatchObject(refused)
  })

  it('a token that the secret of the database has signed is believed, and by the data API alone', async () => {
    const token = await signJwt({ aud: 'harbour', ...roles }, foreign)
    expect((await withToken(token)).body).toBe('authenticated')
    const user = await fetch(`${api.url}/auth/v1/user`, { headers: { Authorization: `Bearer ${token}` } })
    expect(user.status).toBe(403)
    const another = hmacSigningKey('nobody here has ever heard of this secret')
    expect(await withToken(signJwt({ aud: 'harbour', ...roles }, another))).toMatchObject({ status: 401 })
  })
})

describe('how it answers', () => {
  const origin = (from: string, asked?: Asked) =>
    ask('/ships', { ...asked, headers: { ...asked?.headers, Origin: from } })

  it('pages of the named origins alone may read it', async () => {
    const allowed = await origin('https://quay.example')
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://quay.example')
    expect(allowed.headers.get('vary')).toContain('Origin')
    const other = await origin('https://pirates.example')
    expect(other.headers.get('access-control-allow-origin')).toBe('https://harbour.example')
    const preflight = { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'POST' } }
    expect((await origin('https://pirates.example', preflight)).headers.get('access-control-allow-origin')).toBe(
      'https://harbour.example',
    )
    const auth = await fetch(`${api.url}/auth/v1/health`, { headers: { Origin: 'https://pirates.example' } })
    expect(auth.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('repeats the header, and does not say how long it took', async () => {
    const { headers } = await ask('/ships', { headers: { 'X-Lantern': 'green' } })
    expect([headers.get('x-lantern'), headers.get('server-timing')]).toEqual(['green', null])
    expect((await ask('/ships')).headers.has('x-lantern')).toBe(false)
  })

  it('statements are not prepared', async () => {
    for (let count = 0; count < 3; count += 1) expect((await ask('/rpc/prepared')).body).toBe(0)
  })
})

it('a function that fails leaves the old settings in force until it has been mended', async () => {
  const become = (body: string): Promise<unknown> =>
    api.database.run(`
      create or replace function settings.declared() returns void language plpgsql as $$ begin ${body} end $$;
      notify pgrst, 'reload config'`)
  await become("raise exception 'the lamp is out';")
  for (let count = 0; count < 5; count += 1) expect((await ask('/rpc/setting?name=role')).body).toBe(stranger)
  await become("perform set_config('pgrst.db_prepared_statements', 'true', true);")
  await expect.poll(async () => (await ask('/rpc/setting?name=role')).body, { timeout: 10_000 }).toBe('anon')
})

it.skipIf(isOnCitus)('statements are prepared as soon as that is declared', async () => {
  await expect.poll(async () => (await ask('/rpc/prepared')).body).toBeGreaterThan(0)
})
