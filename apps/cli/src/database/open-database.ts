import type { Cli } from '../cli.ts'
import { findDev } from '../dev/dev-file.ts'
import { Failure } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { toLogins } from './logins.ts'
import type { Logins } from './logins.ts'

/** A PostgreSQL that a command works on. */
export type Database = Logins & {
  /** The project's own server, and not one that the user named. */
  readonly isEmbedded: boolean
  /** Fulfilled when an embedded server ends although nobody stopped it. */
  readonly crashed?: Promise<Error>
  /** Stops what was started for it. */
  close(): Promise<void>
}

/**
 * The database that the user named instead of the embedded one. Only the option and the shell count, never a project's
 * `.env`: a forgotten line there must not point `dev` at a database that it should not touch.
 */
export function externalUrl(cli: Cli): string | undefined {
  const named = cli.options.dbUrl ?? cli.environment['DATABASE_URL']
  if (named === undefined || named === '') return undefined
  if (/^postgres(ql)?:$/.test(URL.parse(named)?.protocol ?? '')) return named
  const place = cli.options.dbUrl === undefined ? 'DATABASE_URL' : '--db-url'
  throw new Failure('usage', `${place} is not the URL of a PostgreSQL.`, {
    remedy: 'It looks like postgres://user:password@host:5432/database',
  })
}

/** What a question or a message calls the database: host and name, never a password. */
export function describeTarget(cli: Cli, project: Project): string {
  const url = externalUrl(cli)
  if (url === undefined) return `the embedded database of ${project.root}`
  const { host, pathname } = new URL(url)
  return `database "${pathname.slice(1)}" on ${host === '' ? 'a unix socket' : host}`
}

/**
 * Lends the project's database: the named one, the one `pando dev` runs, or the embedded one for as long as it takes.
 */
export async function withDatabase<T>(cli: Cli, project: Project, use: (database: Database) => Promise<T>): Promise<T> {
  const running = externalUrl(cli) === undefined ? findDev(project.root)?.adminUrl : undefined
  const database = running === undefined ? await openDatabase(cli, project) : lendRunning(project, running)
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

/** Opens the named database, or starts the embedded one; it listens on TCP only when a port is given. */
export async function openDatabase(cli: Cli, project: Project, port?: DatabasePort): Promise<Database> {
  const url = externalUrl(cli)
  if (url !== undefined) return toNamedDatabase(url)
  const { startEmbedded } = await import('./start-embedded.ts')
  return await startEmbedded(cli, project, port)
}

/** A server that the user named; all logins are theirs. */
export const toNamedDatabase = (url: string): Database => ({
  adminUrl: url,
  url,
  publicUrl: url,
  isEmbedded: false,
  close: nothing,
})

/** A TCP port for the embedded server. One that nobody chose gives way to a free one when it is taken. */
export type DatabasePort = { readonly port: number; readonly isChosen: boolean }

const lendRunning = (project: Project, adminUrl: string): Database => ({
  ...toLogins(project.kind, { adminUrl }),
  isEmbedded: true,
  close: nothing,
})

const nothing = (): Promise<void> => Promise.resolve()
