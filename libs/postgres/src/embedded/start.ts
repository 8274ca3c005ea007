import { createServer, type AddressInfo } from 'node:net'
import { findBinaries } from './binaries.ts'
import { ensureCluster, superuser, writeSettings } from './cluster.ts'
import type { EmbeddedPostgresError } from './error.ts'
import { addExtensions } from './extensions.ts'
import { lockFolder } from './folder-lock.ts'
import { prepareHome } from './home-folder.ts'
import { clearOrphan } from './orphan.ts'
import { portInUse, startServer } from './server.ts'
import { defaultSettings, volatileSettings, type Settings } from './settings.ts'

export type EmbeddedPostgresOptions = {
  /** Where the cluster lives, for example `.pando/postgres`; made when it is not there. */
  readonly dataFolder: string
  /** TCP port on 127.0.0.1, 0 for any free one; without it only the unix socket listens. */
  readonly port?: number
  /** PostgreSQL parameters over the defaults in `settings.ts`. */
  readonly settings?: Settings
  /** False gives up crash safety for speed (tests). Default: true, an acknowledged write is on the disk. */
  readonly durable?: boolean
  /** Gets each line of the server's log. */
  readonly onLog?: (line: string) => void
  /** Told to others who want the same folder. */
  readonly program?: string
  /** Where root puts what an unprivileged user cannot reach otherwise. Default: /var/lib/pando. */
  readonly shelterFolder?: string
}

export type EmbeddedPostgres = {
  /** Database `postgres` as the superuser `supabase_admin`, over the unix socket. */
  readonly url: string
  /** The same over TCP; undefined without a port. */
  readonly tcpUrl: string | undefined
  readonly socketFolder: string
  /** The TCP port; undefined when only the socket listens. */
  readonly port: number | undefined
  readonly pid: number
  /** Whether this start made the cluster. */
  readonly created: boolean
  /** Fulfilled (never rejected) when the server ends although nobody stopped it; call `stop` before another start. */
  readonly crashed: Promise<EmbeddedPostgresError>
  /** Ends all sessions, writes everything and gives the folder back; a second call waits for the first. */
  stop(): Promise<void>
}

/** Part of the socket's name when no TCP port is asked for. */
const defaultSocketPort = 5432

/**
 * Starts PostgreSQL on a folder, making the cluster at the first start. Recovers by itself from whatever a `kill -9`
 * left. Throws `EmbeddedPostgresError` when another program holds the folder or the port, or when PostgreSQL cannot run
 * here.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries()
  const home = await prepareHome(options.dataFolder, binaries, options.shelterFolder ?? '/var/lib/pando')
  const unlock = await lockFolder(home.folder, options.program ?? process.title)
  try {
    const durable = options.durable ?? true
    const { password, created } = await ensureCluster(home, { durable })
    const defaults = { ...defaultSettings, ...(durable ? {} : volatileSettings), ...(await addExtensions(home)) }
    await writeSettings(home, { ...defaults, ...options.settings })
    await clearOrphan(home)
    // After the orphan: it may be what holds the port.
    const port = options.port === undefined ? undefined : await claimPort(options.port)
    const server = await startServer(home, { port, socketPort: defaultSocketPort, onLog: options.onLog ?? ignore })
    const toUrl = (authority: string) => `postgresql://${superuser}:${password}@${authority}/postgres`
    return {
      url: toUrl(`${encodeURIComponent(home.sockets)}:${port ?? defaultSocketPort}`),
      tcpUrl: port === undefined ? undefined : toUrl(`127.0.0.1:${port}`),
      socketFolder: home.sockets,
      port,
      pid: server.pid,
      created,
      crashed: server.crashed,
      stop: () => server.stop().finally(unlock),
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

const ignore = (): void => undefined

/** Makes sure that the port is free and finds one for 0. */
function claimPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portInUse(port) : error)
    })
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address() as AddressInfo
      probe.close(() => resolve(address.port))
    })
  })
}
