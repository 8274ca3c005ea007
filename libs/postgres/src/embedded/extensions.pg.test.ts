import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../database.ts'
import { startScratchCluster, type ScratchCluster } from '../testing/scratch-cluster.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { freedExtensions } from './extensions.ts'
import { startEmbeddedPostgres } from './start.ts'
import { withSession } from '../migrations/session.ts'
import type { Notice } from '../migrations/session.ts'

let cluster: ScratchCluster
let owner: Database
let caller: Database
beforeAll(async () => {
  cluster = await startScratchCluster({
    sql: `create role owner login password 'open'; create role caller login password 'open';
      grant create on database postgres to owner; create schema extensions authorization owner`,
  })
  owner = open(cluster.urlAs('owner'))
  caller = open(cluster.urlAs('caller'))
})
afterAll(async () => {
  await Promise.all([owner.close(), caller.close()])
  await cluster.stop()
})

const open = (url: string): Database => createDatabase({ url, applicationName: 'test', connectionsMax: 1 })

test('who may create no schema creates no extension', async () => {
  await expect(caller.query('create extension autoinc')).rejects.toMatchObject({ fields: { code: '42501' } })
})

const trusted =
  'btree_gin btree_gist citext cube dict_int fuzzystrmatch hstore intarray isn lo ltree pg_trgm pgcrypto seg tablefunc ' +
  'tcn tsm_system_rows unaccent uuid-ossp'

test.each([...trusted.split(' '), ...freedExtensions])('who may create schemas can create %s', async (name) => {
  await owner.query(`create extension if not exists "${name}" with schema extensions cascade`)
  const rows = await owner.query('select extowner::regrole::text as owner from pg_extension where extname = $1', [name])
  expect(rows).toEqual([{ owner: 'owner' }])
})

test('what the freed ones bring works', async () => {
  await owner.query(`
    create table extensions.notes (id int primary key, text text, by text, changed timestamptz default 'epoch');
    create index on extensions.notes using bloom (id);
    create trigger stamp before update on extensions.notes
      for each row execute procedure extensions.moddatetime (changed);
    create trigger sign before insert on extensions.notes
      for each row execute procedure extensions.insert_username (by);
    insert into extensions.notes (id) values (1);
    update extensions.notes set text = 'changed'`)
  await owner.query('set search_path = extensions')
  const rows = await owner.query(`
    select by, changed > 'epoch' as stamped,
      earth_distance(ll_to_earth(53.55, 9.99), ll_to_earth(48.14, 11.58)) between 600e3 and 625e3 as measured
    from notes`)
  expect(rows).toEqual([{ by: 'owner', stamped: true, measured: true }])
})

test.each(['dblink', 'file_fdw', 'postgres_fdw', 'pageinspect'])(
  'what reaches files, servers or pages is for the superuser: %s',
  async (name) => {
    await expect(owner.query(`create extension ${name}`)).rejects.toMatchObject({ fields: { code: '42501' } })
  },
)

test.each([
  ['pg_graphql', 'graphql'],
  ['supabase_vault', 'vault'],
  ['pgsodium', 'pgsodium'],
])('what every hosted project has is created empty, in its own schema, with a warning: %s', async (name, schema) => {
  const notices: Notice[] = []
  await withSession({ url: cluster.urlAs('owner'), onNotice: (notice) => notices.push(notice) }, async (client) => {
    await client.query(
      `set search_path = ''; set client_min_messages = warning; create extension if not exists ${name}`,
    )
  })
  expect(notices).toEqual([
    {
      severity: 'WARNING',
      message: `extension "${name}" is empty: the embedded PostgreSQL does not have it`,
      hint: expect.stringMatching(/^.*; SQL that (calls them|uses .+) fails\.$/),
    },
  ])
  const rows = await owner.query(
    'select extversion as version, extnamespace::regnamespace::text as schema from pg_extension where extname = $1',
    [name],
  )
  expect(rows).toEqual([{ version: 'empty', schema }])
  await owner.query(`drop extension ${name}; create extension ${name} with schema ${schema}`)
})

test.each(['vector', 'postgis', 'pg_net', 'pg_cron'])('what a project chose is not made up: %s', async (name) => {
  await expect(owner.query(`create extension ${name}`)).rejects.toMatchObject({ fields: { code: '0A000' } })
})

describe('pgjwt', () => {
  const secret = 'a secret that both sides know'
  const base64url = (text: string): string => Buffer.from(text).toString('base64url')
  const seal = (signables: string, digest = 'sha256'): string =>
    `${signables}.${createHmac(digest, secret).update(signables).digest('base64url')}`
  const token = (payload: string): string => seal(`${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(payload)}`)
  const verify = async (text: string): Promise<unknown> =>
    (await caller.query('select header, payload, valid from extensions.verify($1, $2)', [text, secret]))[0]

  beforeAll(async () => {
    await owner.query('create extension if not exists pgcrypto with schema extensions')
    await owner.query('create extension pgjwt with schema extensions; grant usage on schema extensions to caller')
    // Nothing of it depends on who looks where.
    await caller.query("set search_path = ''")
  })

  test.each([
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('signs with %s what another library makes, byte for byte', async (algorithm, digest) => {
    const payload = `{"sub":"ada","name":"${'Ada Löwe, 👩‍💻 '.repeat(20)}"}`
    const rows = await caller.query('select extensions.sign($1, $2, $3) as token', [payload, secret, algorithm])
    expect(rows).toEqual([
      { token: seal(`${base64url(`{"alg":"${algorithm}","typ":"JWT"}`)}.${base64url(payload)}`, digest) },
    ])
    const checked = await caller.query('select valid from extensions.verify($1, $2, $3)', [
      rows[0]?.['token'],
      secret,
      algorithm,
    ])
    expect(checked).toEqual([{ valid: true }])
  })

  test.each(['', 'f', 'fo', 'foo', '??>>~~', 'x'.repeat(200)])('writes and reads base64url: %j', async (text) => {
    const rows = await caller.query(
      `select extensions.url_encode($1) as encoded, pg_catalog.convert_from(extensions.url_decode($2), 'utf8') as decoded`,
      [Buffer.from(text), base64url(text)],
    )
    expect(rows).toEqual([{ encoded: base64url(text), decoded: text }])
  })

  test('takes a token whose time is now', async () => {
    const payload = `{"exp": ${Date.now() / 1000 + 3600}, "nbf": ${Date.now() / 1000 - 3600}}`
    expect(await verify(token(payload))).toEqual({
      header: { alg: 'HS256', typ: 'JWT' },
      payload: JSON.parse(payload) as unknown,
      valid: true,
    })
  })

  test.each([
    ['is over', token('{"exp": 1700000000}')],
    ['has not begun', token('{"nbf": 32500000000}')],
    ['has a time that is none', token('{"exp": "soon"}')],
    ['has another signature', `${token('{}').slice(0, -2)}AA`],
    ['has no signature', token('{}').replace(/[^.]+$/, '')],
    ['has a piece too many', `${token('{}')}.`],
    ['was signed with another algorithm', seal(`${base64url('{"alg":"HS512"}')}.${base64url('{}')}`, 'sha512')],
    ['is empty', ''],
    ['is half', base64url('{}')],
    ['claims to need none', `${base64url('{"alg":"none"}')}.${base64url('{}')}.`],
  ])('refuses a token that %s', async (_, text) => {
    expect(await verify(text)).toMatchObject({ valid: false })
  })

  test.each(['a.b', 'x', '💥.💥.💥'])('a text that is no token is an error: %j', async (text) => {
    await expect(verify(text)).rejects.toMatchObject({ fields: { code: expect.stringMatching(/^22/) } })
  })

  test('an algorithm it does not know is named', async () => {
    const signing = caller.query(`select extensions.sign('{}', 'secret', 'RS256')`)
    await expect(signing).rejects.toThrow(/of jwt rs256.*no such hash/i)
  })
})

test('a folder that a list with colons cannot name has none of it, and works', async () => {
  const folder = await makeTemporaryFolder('pando-a:b-')
  const server = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })
  const admin = open(server.url)
  expect(await admin.query('show extension_control_path')).toEqual([{ extension_control_path: '$system' }])
  await expect(admin.query('create extension pg_graphql')).rejects.toMatchObject({ fields: { code: '0A000' } })
  await admin.close()
  await server.stop()
  await rm(folder, { recursive: true })
})
