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
}

const servicesFolder = path.join(import.meta.dirname, '../../../../services')
const template = 'pando_template'
const loginRoles = [
  'authenticator',
  'postgres',
  'supabase_auth_admin',
  'supabase_storage_admin',
  'supabase_realtime_admin',
  'supabase_replication_admin',
]

/** Starts a cluster in a temporary folder, without crash safety, and prepares the template. */
export async function startTestCluster(): Promise<TestCluster & { stop(): Promise<void> }> {
  const folder = await makeTemporaryFolder('pando-test-')
  const server = await startEmbeddedPostgres({
    dataFolder: path.join(folder, 'postgres'),
    durable: false,
    settings: { max_connections: 200, max_wal_senders: 20, max_replication_slots: 20 },
    program: 'a test run',
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const password = randomBytes(12).toString('base64url')
    await prepareTemplate(server.url, password)
    return { url: server.url, password, template, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepareTemplate(url: string, password: string): Promise<void> {
  const admin = new Client({ connectionString: url })
  await admin.connect()
  try {
    await admin.query(`create database ${template}`)
    await ensureConventions({
      url: loginUrl(url, { database: template }),
      folders: await listConventionFolders(servicesFolder),
    })
    for (const role of loginRoles) await setPassword(admin, role, password)
    await admin.query(`alter database ${template} with is_template true allow_connections false`)
  } finally {
    await admin.end()
  }
}
