import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createDatabase } from '../database.ts'
import { startEmbeddedPostgres } from '../embedded/start.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { loginUrl } from '../login.ts'

/**
 * A server of a test file's own, without the conventions: for tests that change roles, or need none of ours to be
 * there.
 */
export type ScratchCluster = {
  /** Database `postgres` as the superuser. */
  readonly url: string
  /** As another role, whose password is `open`. */
  urlAs(role: string, database?: string): string
  stop(): Promise<void>
}

/** The password that `urlAs` uses: `create role … login password 'open'`. */
const password = 'open'

/** Starts an empty PostgreSQL in a temporary folder, without crash safety; `sql` is run as the superuser. */
export async function startScratchCluster(options: { readonly sql?: string } = {}): Promise<ScratchCluster> {
  const folder = await makeTemporaryFolder('pando-scratch-')
  const server = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })
  if (options.sql !== undefined) {
    const admin = createDatabase({ url: server.url, applicationName: 'test', connectionsMax: 1 })
    await admin.query(options.sql)
    await admin.close()
  }
  return {
    url: server.url,
    urlAs: (role, database = 'postgres') => loginUrl(server.url, { role, password, database }),
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
