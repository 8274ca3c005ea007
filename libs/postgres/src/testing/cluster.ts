import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../embedded/start.ts'
import { loginUrl, setPassword } from '../login.ts'
import { ensureConventions, listConventionFolders } from '../migrations/conventions.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** The cluster of one test run, as the test files get to know it. */
export type TestCluster = {
  /** Database `postgres` as superuser. */
  readonly url: string
  /** Password of every role of the conventions that may log in. */
  readonly password: string
  /** A database with the conventions, to be cloned; nobody can connect to it. */
  readonly template: string
  /** The coordinator of a Citus cluster: then there is no template, and each database is made on all servers. */
  readonly isCitus: boolean
}

const servicesFolder = path.join(import.meta.dirname, '../../../../services')
const loginRoles = [
  'authenticator',
  'postgres',
  'supabase_auth_admin',
  'supabase_storage_admin',
  'supabase_realtime_admin',
  'supabase_replication_admin',
]

type Server = { readonly url: string; stop(): Promise<void> }

/**
 * Starts a cluster in a temporary folder, without crash safety, and prepares the template. `PANDO_TEST_DATABASE_URL`
 * names another server instead, for one run at a time: its superuser must not be `postgres`, which the conventions want
 * weaker. `PANDO_TEST_CITUS_URL` names the coordinator of a Citus cluster in the same way; its superuser must be let in
 * to the workers too, and so must the API roles without a password.
 */
export async function startTestCluster(): Promise<TestCluster & Server> {
  const coordinator = process.env['PANDO_TEST_CITUS_URL']
  if (coordinator !== undefined) {
    const password = randomBytes(12).toString('base64url')
    return { url: coordinator, password, template: '', isCitus: true, stop: async () => {} }
  }
  const named = process.env['PANDO_TEST_DATABASE_URL']
  const template = `pando_template_${randomBytes(4).toString('hex')}`
  const server = named === undefined ? await startOwnServer() : borrowServer(named, template)
  try {
    const password = randomBytes(12).toString('base64url')
    await prepareTemplate(server.url, template, password)
    return { url: server.url, password, template, isCitus: false, stop: server.stop }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function startOwnServer(): Promise<Server> {
  const folder = await makeTemporaryFolder('pando-test-')
  const server = await startEmbeddedPostgres({
    dataFolder: path.join(folder, 'postgres'),
    durable: false,
    settings: { max_connections: 200, max_wal_senders: 20, max_replication_slots: 20 },
    program: 'a test run',
  })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Roles and their passwords stay on the server; they belong to the conventions. */
function borrowServer(url: string, template: string): Server {
  return {
    url,
    async stop() {
      const admin = new Client({ connectionString: url })
      await admin.connect()
      await admin.query(`update pg_catalog.pg_database set datistemplate = false where datname = '${template}'`)
      await admin.query(`drop database if exists ${template}`)
      await admin.end()
    },
  }
}

async function prepareTemplate(url: string, template: string, password: string): Promise<void> {
  const admin = new Client({ connectionString: url })
  await admin.connect()
  try {
    await admin.query(`create database ${template}`)
    await prepareDatabase(loginUrl(url, { database: template }), password)
    await admin.query(`alter database ${template} with is_template true allow_connections false`)
  } finally {
    await admin.end()
  }
}

/** Brings a database, named as a superuser reaches it, up to the conventions; every role that may log in has `password`. */
export async function prepareDatabase(url: string, password: string): Promise<void> {
  await ensureConventions({ url, folders: await listConventionFolders(servicesFolder) })
  const admin = new Client({ connectionString: url })
  await admin.connect()
  try {
    for (const role of loginRoles) await setPassword(admin, role, password)
  } finally {
    await admin.end()
  }
}
