import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { createDatabase, type Queries } from '../database.ts'
import { loginUrl } from '../login.ts'
import { createCitusDatabase, dropCitusDatabase } from './citus.ts'
import { prepareDatabase, type TestCluster } from './cluster.ts'
import type { ClusterAnswer } from './global-setup.ts'

export type TestDatabaseOptions = {
  /** Whether the database has roles, schemas and functions of the conventions. Default true. */
  readonly conventions?: boolean
  /** Run once as role `postgres` (as a project's migration; without the conventions as superuser). */
  readonly sql?: string
}

/** A database of its own in the run's cluster. Roles and their settings are shared with the other test files. */
export type TestDatabase = Queries & {
  readonly name: string
  /** As superuser `supabase_admin`. */
  readonly url: string
  /** As `authenticator`, which becomes the API roles. */
  readonly apiUrl: string
  /** As another role of the conventions that may log in, for example `postgres`. */
  urlAs(role: string): string
  /** Runs several statements at once, as superuser. */
  run(sql: string): Promise<void>
  /** Ends all sessions and drops the database. */
  close(): Promise<void>
}

/** Makes a database for one test file. Call it in `beforeAll`, and `close` in `afterAll`. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const cluster = await getCluster()
  const conventions = options.conventions ?? true
  const name = `test_${randomBytes(8).toString('hex')}`
  const url = loginUrl(cluster.url, { database: name })
  const isSpread = conventions && cluster.isCitus
  if (isSpread) await createSpread(cluster, name)
  else {
    await withAdmin(cluster, (admin) => (conventions ? clone(admin, cluster.template, name) : createEmpty(admin, name)))
  }
  const urlAs = (role: string): string => loginUrl(url, { role, password: cluster.password })
  const admin = createDatabase({ url, applicationName: 'test', connectionsMax: 4 })
  const database: TestDatabase = {
    name,
    url,
    apiUrl: urlAs('authenticator'),
    urlAs,
    query: admin.query,
    run: async (sql) => void (await admin.query(sql)),
    close: async () => {
      await admin.close()
      if (isSpread) await dropCitusDatabase(cluster.url, name)
      else await withAdmin(cluster, (queries) => queries.query(`drop database if exists ${name} with (force)`))
    },
  }
  if (options.sql !== undefined) await runAs(conventions ? urlAs('postgres') : url, options.sql)
  return database
}

let cluster: Promise<TestCluster> | undefined

/** Superuser's URL and the shared password of the run's cluster, for tests that need more than one database. */
export function getCluster(): Promise<TestCluster> {
  return (cluster ??= askForCluster())
}

async function askForCluster(): Promise<TestCluster> {
  const answer = JSON.parse(await text(connect(inject('testClusterDoor')))) as ClusterAnswer
  if ('error' in answer) throw new Error(`the test cluster does not start: ${answer.error}`)
  return answer.cluster
}

async function withAdmin<T>(cluster: TestCluster, use: (admin: Queries) => Promise<T>): Promise<T> {
  const admin = createDatabase({ url: cluster.url, applicationName: 'test', connectionsMax: 1 })
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

async function runAs(url: string, sql: string): Promise<void> {
  const database = createDatabase({ url, applicationName: 'test', connectionsMax: 1 })
  try {
    await database.query(sql)
  } finally {
    await database.close()
  }
}

/** Nothing can be cloned on Citus. The API roles may log in there, as `pando shard apply` lets them. */
async function createSpread({ url, password }: TestCluster, name: string): Promise<void> {
  await createCitusDatabase(url, name)
  const own = loginUrl(url, { database: name })
  await prepareDatabase(own, password)
  const admin = createDatabase({ url: own, applicationName: 'test', connectionsMax: 1 })
  for (const role of ['anon', 'authenticated', 'service_role']) await admin.query(`alter role ${role} login`)
  await admin.close()
}

async function createEmpty(admin: Queries, name: string): Promise<void> {
  await admin.query(`create database ${name} template template0`)
}

/** Owner, grants and settings belong to the database's entry, which cloning does not copy. */
async function clone(admin: Queries, template: string, name: string): Promise<void> {
  await admin.query(`create database ${name} template ${template} strategy file_copy`)
  await admin.query(copyEntry, [template, name])
  await admin.query(copySettings, [template, name])
}

const copyEntry = `
  update pg_catalog.pg_database as copy
  set datdba = original.datdba, datacl = original.datacl
  from pg_catalog.pg_database as original
  where original.datname = $1 and copy.datname = $2`

const copySettings = `
  insert into pg_catalog.pg_db_role_setting (setdatabase, setrole, setconfig)
  select copy.oid, setting.setrole, setting.setconfig
  from pg_catalog.pg_db_role_setting as setting
  join pg_catalog.pg_database as original on original.oid = setting.setdatabase
  join pg_catalog.pg_database as copy on copy.datname = $2
  where original.datname = $1`
