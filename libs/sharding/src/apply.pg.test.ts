import { createDatabase, type Database } from '@pando/postgres/database'
import { startScratchCluster, type ScratchCluster } from '@pando/postgres/testing/scratch-cluster'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyStatements } from './apply.ts'
import { readCluster } from './cluster.ts'
import { readShardFacts } from './facts.ts'
import { planShards } from './plan-shards.ts'
import { toStatements } from './statements.ts'
import { readShardStatus } from './status.ts'
import { stubCitus } from './testing/stub-citus.ts'

/** A server of its own: `apply` changes roles. */
let server: ScratchCluster
let database: Database
beforeAll(async () => {
  server = await startScratchCluster({
    sql: `
      create role anon nologin;
      create role authenticator login;
      grant anon to authenticator;
      create table countries (code text primary key);
      create table tenants (id uuid primary key, country text references countries);
      create table boats (tenant_id uuid references tenants, id int, primary key (tenant_id, id));`,
  })
  database = createDatabase({ url: server.url, applicationName: 'test', connectionsMax: 2 })
})
afterAll(async () => {
  await database?.close()
  await server?.stop()
})

const declaration = { key: 'tenant_id', keys: new Map([['tenants', 'id']]), reference: [], local: [] }
const planNow = async () => {
  const cluster = await readCluster(database)
  return toStatements(planShards(await readShardFacts(database, ['public']), declaration), cluster?.logins)
}

test('a server without Citus is none', async () => {
  expect(await readCluster(database)).toBeUndefined()
})

test('what failed in the middle goes on there, and what is done stays done', async () => {
  await database.query(stubCitus)
  expect((await readCluster(database))?.logins).toEqual([
    { role: 'anon', mayLogIn: false, refusals: ['worker.example:5432: role "anon" is not permitted to log in'] },
  ])
  const statements = await planNow()
  expect(statements).toHaveLength(4)
  const done: string[] = []
  const broken = statements.with(2, { about: 'broken', text: 'select 1 / 0' })
  await expect(applyStatements(database, broken, ({ about }) => done.push(about))).rejects.toThrow('division by zero')
  expect(done).toEqual(['anon: may log in, as Citus does on the workers', 'countries: on every server'])

  const rest = await planNow()
  expect(rest.map(({ about }) => about)).toEqual(['tenants: by id', 'boats: by tenant_id, beside tenants'])
  await applyStatements(database, rest, () => undefined)
  expect(await planNow()).toEqual([])
  expect((await readCluster(database))?.logins).toEqual([{ role: 'anon', mayLogIn: true, refusals: [] }])
})

test('the status says what is where', async () => {
  expect(await readShardStatus(database)).toEqual({
    tables: [
      { table: 'countries', kind: 'reference', key: null, group: 0, shards: 1, bytes: 8192 },
      { table: 'boats', kind: 'distributed', key: 'tenant_id', group: 1, shards: 1, bytes: 8192 },
      { table: 'tenants', kind: 'distributed', key: 'id', group: 1, shards: 1, bytes: 8192 },
    ],
    nodes: [{ node: 'worker.example:5432', isActive: true, shards: 3, bytes: 24_576 }],
    moves: { shards: 0, bytes: 0 },
  })
})
