import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type Database } from '../database.ts'
import { startScratchCluster, type ScratchCluster } from '../testing/scratch-cluster.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { freedExtensions } from './extensions.ts'
import { startEmbeddedPostgres } from './start.ts'

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

test('a folder that a list with colons cannot name has none of it, and works', async () => {
  const folder = await makeTemporaryFolder('pando-a:b-')
  const server = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })
  const admin = open(server.url)
  expect(await admin.query('show extension_control_path')).toEqual([{ extension_control_path: '$system' }])
  await admin.close()
  await server.stop()
  await rm(folder, { recursive: true })
})
