import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Client } from 'pg'
import { PostgresError } from '../errors.ts'
import { toPostgresFailure } from '../failure.ts'
import { mayNotReadLedger, mustBeAdmin } from './admin-rights.ts'
import { MigrationError } from './migration-error.ts'
import { runSqlFile } from './run-sql-file.ts'
import { withMigrationLock, withSession, type Notice } from './session.ts'
import { readSqlFolder, type SqlFolderFile } from './sql-folder.ts'

/** A numbered series of SQL files. `name` is its key in the ledger and never changes. */
export type ConventionFolder = { readonly name: string; readonly path: string }

export type ConventionOptions = {
  /** An admin: superuser, or one who may create roles and owns the database. A direct connection, not pgbouncer. */
  readonly url: string
  /** In the order in which they apply: later ones may use what earlier ones make. */
  readonly folders: readonly ConventionFolder[]
  /** Parameters while the files run, for example `pando.auto_expose_new_tables`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** What a file could not do on this server, and what to run instead. */
  readonly onNotice?: (notice: Notice & { readonly migration: string }) => void
  /**
   * Told what the database has that these folders do not, when it has all of theirs: a newer version prepared it, and
   * this one goes on, as during a rolling update. Without it that is an error.
   */
  readonly onNewer?: OnNewer
}

type OnNewer = (titles: readonly string[]) => void

type Convention = SqlFolderFile & { readonly folder: string; readonly title: string }

const conventionsFolder = path.join(import.meta.dirname, '../../conventions')

/**
 * The folders of this house: the conventions of the database, then each service's tables. `servicesFolder` is the
 * folder that holds the services.
 */
export async function listConventionFolders(servicesFolder: string): Promise<ConventionFolder[]> {
  const names = (await readdir(servicesFolder)).toSorted()
  const services = names.map((name) => ({ name, path: path.join(servicesFolder, name, 'migrations') }))
  return [{ name: 'conventions', path: conventionsFolder }, ...services]
}

/**
 * Brings a database up to the conventions: applies the files that it has not got, each in one transaction, and returns
 * their names. Costs one query when nothing is to do; many nodes may call it at once. Rejects with `MigrationError`
 * when a file was changed after it was applied, the database was prepared by a newer version or the user has not the
 * right; with `SqlFileError` when a file fails.
 */
export async function ensureConventions(options: ConventionOptions): Promise<string[]> {
  const known = (await Promise.all(options.folders.map(readConventions))).flat()
  const { url, onNewer } = options
  const ledger = await withSession({ url }, readLedger)
  if (listMissing(known, ledger).length > 0) {
    // It may be on its way from another node; under the lock the ledger holds still.
    return await withMigrationLock({ url }, 'system', () => applyPending(options, known))
  }
  mustFit(known, ledger, onNewer)
  return []
}

async function readConventions(folder: ConventionFolder): Promise<Convention[]> {
  const files = await readSqlFolder(folder.path)
  return files.map((file) => ({ ...file, folder: folder.name, title: `${folder.name}/${file.name}` }))
}

type LedgerRow = { readonly folder: string; readonly name: string; readonly checksum: string }

const selectLedger = 'select folder, name, checksum from pando.migrations'

const createLedger = `
  create schema if not exists pando;
  create table if not exists pando.migrations (
    folder text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default pg_catalog.now(),
    primary key (folder, name)
  )`

const insertLedger = 'insert into pando.migrations (folder, name, checksum) values ($1, $2, $3)'

/** undefined_table, invalid_schema_name */
const absent = new Set(['42P01', '3F000'])
const insufficientPrivilege = '42501'

async function readLedger(client: Client): Promise<LedgerRow[]> {
  try {
    return (await client.query<LedgerRow>(selectLedger)).rows
  } catch (error) {
    const failure = toPostgresFailure(error, { sent: true })
    if (!(failure instanceof PostgresError)) throw failure
    if (absent.has(failure.fields.code)) return []
    throw failure.fields.code === insufficientPrivilege ? await mayNotReadLedger(client) : failure
  }
}

const keyOf = ({ folder, name }: LedgerRow): string => `${folder}/${name}`

function listMissing<File extends LedgerRow>(known: readonly File[], ledger: readonly LedgerRow[]): File[] {
  const applied = new Set(ledger.map(keyOf))
  return known.filter((file) => !applied.has(keyOf(file)))
}

/** Throws `MigrationError` when files and ledger do not fit. Ledger rows of folders not given are not ours. */
function mustFit(known: readonly LedgerRow[], ledger: readonly LedgerRow[], onNewer?: OnNewer): void {
  const folders = new Set(known.map(({ folder }) => folder))
  const files = new Map(known.map((file) => [keyOf(file), file]))
  const applied = new Map(ledger.filter(({ folder }) => folders.has(folder)).map((row) => [keyOf(row), row]))
  const newer = [...applied.keys()].filter((key) => !files.has(key)).toSorted()
  // Each knowing what the other does not is no update on its way: the two versions have grown apart.
  if (newer.length > 0 && (onNewer === undefined || listMissing(known, ledger).length > 0)) throw preparedByNewer(newer)
  const changed = known.filter((file) => (applied.get(keyOf(file))?.checksum ?? file.checksum) !== file.checksum)
  if (changed.length > 0) throw changedAfterwards(changed.map(keyOf))
  if (newer.length > 0) onNewer?.(newer)
}

const preparedByNewer = (titles: readonly string[]): MigrationError =>
  new MigrationError(
    'unknown_applied',
    `this database was prepared by a newer version: it has ${titles.join(', ')}, which this version does not know. ` +
      'Run that version or a later one here, or restore a backup made before the upgrade',
    titles,
  )

const changedAfterwards = (titles: readonly string[]): MigrationError =>
  new MigrationError(
    'changed',
    `${titles.join(', ')} changed after this database got it: install an unmodified release; to change what a migration ` +
      'made, add a new one',
    titles,
  )

async function applyPending(options: ConventionOptions, known: readonly Convention[]): Promise<string[]> {
  let running = ''
  const onNotice = (notice: Notice): void => options.onNotice?.({ ...notice, migration: running })
  return await withSession({ url: options.url, onNotice }, async (client) => {
    // Read again: whoever held the lock before us may have applied them.
    const ledger = await readLedger(client)
    mustFit(known, ledger, options.onNewer)
    const pending = listMissing(known, ledger)
    if (pending.length === 0) return []
    await mustBeAdmin(client)
    await client.query(createLedger)
    for (const { title, folder, name, checksum, text } of pending) {
      running = title
      await resetSession(client, options.parameters ?? {})
      await runSqlFile(client, { name: title, text }, async () => {
        await client.query(insertLedger, [folder, name, checksum])
      })
    }
    return pending.map(({ title }) => title)
  })
}

/** What a file sets for the session must not reach the next one. */
async function resetSession(client: Client, parameters: Readonly<Record<string, string>>): Promise<void> {
  await client.query('reset all')
  for (const [name, value] of Object.entries(parameters)) {
    await client.query('select pg_catalog.set_config($1, $2, false)', [name, value])
  }
}
