import { readFileSync } from 'node:fs'
import { createDatabase } from '@pando/postgres/database'
import { startScratchCluster } from '@pando/postgres/testing/scratch-cluster'
import type { Catalogue } from '../catalogue.ts'
import { loadCatalogue } from '../load-catalogue.ts'
import type { LoadOptions } from '../load-catalogue.ts'

/** A server of its own (its roles have settings) with the database that `museum.sql` describes. */
export type Museum = {
  /** Runs statements as the owner of the database. */
  sql(text: string): Promise<void>
  /** Loads a catalogue as `authenticator`, who owns nothing. */
  load(options?: Partial<LoadOptions>): Promise<Catalogue>
  url(user: string): string
  close(): Promise<void>
}

export async function openMuseum(): Promise<Museum> {
  const cluster = await startScratchCluster({ sql: roles })
  const owner = createDatabase({ url: cluster.url, applicationName: 'museum owner' })
  await owner.query(readFileSync(new URL('museum.sql', import.meta.url), 'utf8'))
  const reader = createDatabase({ url: cluster.urlAs('authenticator'), applicationName: 'museum reader' })
  return {
    async sql(text) {
      await owner.query(text)
    },
    load: (options) => reader.transaction(({ query }) => loadCatalogue(query, { ...exposed, ...options })),
    url: (role) => (role === 'postgres' ? cluster.url : cluster.urlAs(role)),
    async close() {
      await Promise.all([owner.close(), reader.close()])
      await cluster.stop()
    },
  }
}

const exposed: LoadOptions = { schemas: ['api', 'shop'], extraSearchPath: ['tools'], generation: 1 }

const roles = `
create role authenticator login noinherit password 'open';
create role visitor nologin;
create role keeper nologin;
create role stranger nologin;
grant visitor to authenticator;
grant keeper to visitor;
alter role visitor set statement_timeout = '3s';
alter role visitor set default_transaction_isolation = 'serializable';
alter role visitor set session_replication_role = 'replica';
alter role keeper set work_mem = '8MB';
alter role stranger set statement_timeout = '1s';
alter role authenticator set pgrst.db_max_rows = '1000';
alter role authenticator set pgrst.db_pre_request = 'api.check';
alter role authenticator in database postgres set pgrst.db_max_rows = '77';
alter role authenticator set statement_timeout = '20s';
`
