import { execFile } from 'node:child_process'
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded/start.ts'
import type { Settings } from '../embedded/settings.ts'
import { loginUrl } from '../login.ts'
import { freePort } from './free-port.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** One of the servers; its address stays the same over its starts. */
export type TestServer = {
  /** As `host:port`. */
  readonly name: string
  /** Database `postgres` as the superuser. */
  readonly url: string
  /** As another role, whose password is `open`. */
  urlAs(role: string): string
  /** Runs SQL as the superuser; the rows of the last statement. */
  query(sql: string): Promise<Record<string, unknown>[]>
  start(): Promise<void>
  /** In good order: replicas that listen get everything. */
  stop(): Promise<void>
  /** At once, as a machine that loses its power. */
  kill(): Promise<void>
  /** Makes a standby the primary. */
  promote(): Promise<void>
  /** Makes a server that is stopped a standby of another, or a standby that runs one of this other. */
  follow(primary: TestServer): Promise<void>
  /** Makes a server, whatever is on it, a standby of another that runs, to be started. */
  rebuild(primary: TestServer): Promise<void>
  /** What it has on the disk. */
  readonly dataFolder: string
  /** Returns when everything is replayed that `primary` has written until now. */
  catchUp(primary: TestServer): Promise<void>
}

export type ReplicatedCluster = {
  readonly primary: TestServer
  readonly replicas: readonly TestServer[]
  remove(): Promise<void>
}

const copy = promisify(execFile)

/**
 * A primary and streaming replicas of it, on loopback ports. Before the replicas are made, `sql` is run as the superuser and
 * `prepare` is called with the superuser's URL.
 */
export async function startReplicatedCluster(options: {
  readonly replicas: number
  readonly sql?: string
  readonly prepare?: (url: string) => Promise<void>
  readonly settings?: Settings
}): Promise<ReplicatedCluster> {
  const folder = await makeTemporaryFolder('pando-replicas-')
  const settings = { synchronous_commit: 'on', max_connections: 60, ...options.settings }
  const primary = await createServer(path.join(folder, 'primary'), settings)
  const all = [primary]
  try {
    await primary.start()
    await options.prepare?.(primary.url)
    if (options.sql !== undefined) await primary.query(options.sql)
    await primary.stop()
    const replicas: TestServer[] = []
    for (let index = 0; index < options.replicas; index++) {
      const home = path.join(folder, `replica-${index}`)
      await copy('cp', ['-a', path.join(folder, 'primary'), home])
      const replica = await createServer(home, settings)
      all.push(replica)
      replicas.push(replica)
    }
    await primary.start()
    for (const replica of replicas) {
      await replica.follow(primary)
      await replica.start()
    }
    return { primary, replicas, remove: () => remove(all, folder) }
  } catch (error) {
    await remove(all, folder)
    throw error
  }
}

async function remove(servers: readonly TestServer[], folder: string): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
  await rm(folder, { recursive: true, force: true })
}

async function createServer(home: string, settings: Settings): Promise<TestServer> {
  const port = await freePort()
  const data = path.join(home, 'data')
  let running: EmbeddedPostgres | undefined
  let url = ''
  let source: Settings = {}

  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url })
    // A server that is killed may say so after it has answered.
    client.on('error', () => undefined)
    await client.connect()
    try {
      const result = await client.query(sql)
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  }
  const cell = async (sql: string): Promise<unknown> => Object.values((await query(sql))[0]!)[0]
  const end = async (): Promise<void> => {
    await running?.stop()
    running = undefined
  }

  const server: TestServer = {
    name: `127.0.0.1:${port}`,
    get url() {
      return url
    },
    urlAs: (role) => loginUrl(url, { role, password: 'open' }),
    query,
    async start() {
      running = await startEmbeddedPostgres({
        dataFolder: home,
        port,
        durable: false,
        settings: { ...settings, ...source },
      })
      url = running.tcpUrl!
    },
    stop: end,
    async kill() {
      process.kill(running!.pid, 'SIGKILL')
      await end()
    },
    promote: async () => {
      await query('select pg_promote()')
    },
    async follow(primary) {
      const { username, password, hostname, port: primaryPort } = new URL(primary.url)
      const info = `host=${hostname} port=${primaryPort} dbname=postgres user=${username} password=${password}`
      source = { primary_conninfo: info, wal_retrieve_retry_interval: '100ms' }
      if (running !== undefined) {
        await query(`alter system set primary_conninfo = '${info}'`)
        await query('select pg_reload_conf()')
        return
      }
      const { uid, gid } = await stat(data)
      const signal = path.join(data, 'standby.signal')
      await writeFile(signal, '')
      await chown(signal, uid, gid)
    },
    async rebuild(primary) {
      await end()
      const { uid, gid } = await stat(data)
      await rm(data, { recursive: true })
      const label = await copyRunning(primary, data)
      await writeFile(path.join(data, 'backup_label'), label)
      await chown(path.join(data, 'backup_label'), uid, gid)
      await server.follow(primary)
    },
    dataFolder: data,
    async catchUp(primary) {
      const [row] = await primary.query('select pg_current_wal_insert_lsn()::text as lsn')
      // The place may lie behind the header of a page on which nothing is yet.
      const has = `select pg_last_wal_replay_lsn() >= '${String(row!['lsn'])}'::pg_lsn - 40`
      while ((await cell(has)) !== true) await sleep(20)
    },
  }
  return server
}

/** Copies the files of a server that runs; returns the label that makes the copy recover. */
async function copyRunning(server: TestServer, folder: string): Promise<string> {
  const client = new Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query("select pg_backup_start('copy', true)")
    // Files that go away meanwhile are in the log.
    await copy('cp', ['-a', server.dataFolder, folder]).catch(() => undefined)
    for (const own of ['postmaster.pid', 'pg_replslot']) await rm(path.join(folder, own), { recursive: true })
    await mkdir(path.join(folder, 'pg_replslot'), { mode: 0o700 })
    const { uid, gid } = await stat(folder)
    await chown(path.join(folder, 'pg_replslot'), uid, gid)
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
    return rows[0]!.labelfile
  } finally {
    await client.end()
  }
}
