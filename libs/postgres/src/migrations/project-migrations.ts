import path from 'node:path'
import type { Client } from 'pg'
import { PostgresError } from '../errors.ts'
import { toPostgresFailure } from '../failure.ts'
import { MigrationError } from './migration-error.ts'
import { runSqlFile } from './run-sql-file.ts'
import { withMigrationLock, withSession, type Notice } from './session.ts'
import { hasStatement, splitStatements } from './split-statements.ts'
import { readSqlFolder, type SqlFolderFile } from './sql-folder.ts'

/** A project's migrations: files `<version>_<name>.sql` in a folder, applied in the order of their versions. */
export type ProjectMigrationOptions = {
  /** As role `postgres`, who owns what migrations create. A direct connection, not pgbouncer. */
  readonly url: string
  readonly folder: string
  /** Errors name files relative to it. Default: `folder`. */
  readonly root?: string
  /** Told before a file is run. */
  readonly onStart?: (migration: ProjectMigration) => void
  readonly onNotice?: (notice: Notice) => void
}

export type ProjectMigration = {
  readonly version: string
  readonly name: string
  /** File name, or what it was called when the file is missing. */
  readonly title: string
  /**
   * `changed`: the file differs from what was applied. `missing`: applied, but there is no file. What another tool
   * applied has no checksum and counts as applied.
   */
  readonly state: 'applied' | 'pending' | 'changed' | 'missing'
}

type MigrationFile = SqlFolderFile & { readonly version: string; readonly migration: string }
type LedgerRow = { readonly version: string; readonly name: string | null; readonly checksum: string | null }

/**
 * The ledger is the one that other tools of this kind of project read and write; `checksum` is ours. Where it is there
 * already no DDL runs, not even without effect: each announces a schema change, and the data API would look twice.
 */
const ensureLedger = `
  do $$
  begin
    if exists (
      select from pg_catalog.pg_attribute
      where attrelid = pg_catalog.to_regclass('supabase_migrations.schema_migrations') and attname = 'checksum'
    ) then
      return;
    end if;
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key,
      statements text[],
      name text
    );
    alter table supabase_migrations.schema_migrations add column if not exists checksum text;
  end
  $$`

const selectLedger = `
  select version, name, to_jsonb(applied) ->> 'checksum' as checksum
  from supabase_migrations.schema_migrations as applied`

const insertLedger = `
  insert into supabase_migrations.schema_migrations (version, name, statements, checksum) values ($1, $2, $3, $4)`

/** Every migration that the folder or the database knows, in the order of their versions. */
export async function listProjectMigrations(
  options: Pick<ProjectMigrationOptions, 'url' | 'folder'>,
): Promise<ProjectMigration[]> {
  const files = await readMigrations(options.folder)
  return withSession({ url: options.url }, async (client) => compare(files, await readLedger(client)))
}

/**
 * Applies what is pending and returns it. Each file is one transaction (see `runSqlFile` for the exception); two
 * runners wait for each other. Files without any statement wait, because once applied they could not be written any
 * more; they go along when another one is applied. Rejects with `MigrationError` when a file was changed after it was
 * applied, is missing or has the version of another; then nothing is applied. Rejects with `SqlFileError` when a file
 * fails; those before it stay. Costs one query when nothing is to do.
 */
export async function applyProjectMigrations(options: ProjectMigrationOptions): Promise<ProjectMigration[]> {
  const files = await readMigrations(options.folder)
  const { url, onNotice } = options
  return withSession({ url, onNotice }, async (client) => {
    const isIdle = listDue(files, await readLedger(client)).length === 0
    return isIdle ? [] : withMigrationLock({ url }, 'project', () => applyDue(client, files, options))
  })
}

async function applyDue(
  client: Client,
  files: readonly MigrationFile[],
  options: ProjectMigrationOptions,
): Promise<ProjectMigration[]> {
  // Read again: whoever held the lock before us may have applied them.
  const due = listDue(files, await readLedger(client))
  if (due.length > 0) await client.query(ensureLedger)
  for (const { migration, file } of due) {
    options.onStart?.(migration)
    await applyOne(client, file, path.relative(options.root ?? options.folder, file.path))
  }
  return due.map(({ migration }) => migration)
}

async function applyOne(client: Client, file: MigrationFile, shownName: string): Promise<void> {
  const statements = splitStatements(file.text).map(({ text }) => text)
  await runSqlFile(client, { name: shownName, text: file.text }, async () => {
    await client.query(insertLedger, [file.version, file.migration, statements, file.checksum])
  })
  // What a file sets for the session must not reach the next one.
  await client.query('reset all')
}

type Due = { readonly migration: ProjectMigration; readonly file: MigrationFile }

/**
 * What is to be applied now: nothing while no pending file holds a statement. Throws `MigrationError` when files and
 * ledger do not fit.
 */
function listDue(files: readonly MigrationFile[], ledger: readonly LedgerRow[]): Due[] {
  const all = compare(files, ledger)
  mustFit(all)
  const fileOf = new Map(files.map((file) => [file.version, file]))
  const due = all.flatMap((migration) => {
    const file = migration.state === 'pending' ? fileOf.get(migration.version) : undefined
    return file === undefined ? [] : [{ migration, file }]
  })
  return due.some(({ file }) => hasStatement(file.text)) ? due : []
}

async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const files = (await readSqlFolder(folder)).flatMap((file) => {
    const [, version, migration] = /^(\d+)_(.+)\.sql$/.exec(file.name) ?? []
    return version === undefined || migration === undefined ? [] : [{ ...file, version, migration }]
  })
  const twice = files.filter(({ version }, index) => files.findIndex((file) => file.version === version) !== index)
  if (twice.length > 0) {
    const titles = files.filter(({ version }) => version === twice[0]?.version).map(({ name }) => name)
    throw new MigrationError(
      'duplicate_version',
      `${titles.join(' and ')} have the same version: rename one of them`,
      titles,
    )
  }
  return files.toSorted((one, other) => compareVersions(one.version, other.version))
}

/** Versions are numbers of any length. */
function compareVersions(one: string, other: string): number {
  const difference = BigInt(one) - BigInt(other)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

async function readLedger(client: Client): Promise<LedgerRow[]> {
  try {
    return (await client.query<LedgerRow>(selectLedger)).rows
  } catch (error) {
    const failure = toPostgresFailure(error, { sent: true })
    const isAbsent = failure instanceof PostgresError && ['42P01', '3F000'].includes(failure.fields.code)
    if (isAbsent) return []
    throw failure
  }
}

function compare(files: readonly MigrationFile[], ledger: readonly LedgerRow[]): ProjectMigration[] {
  const applied = new Map(ledger.map((row) => [row.version, row]))
  const known = new Set(files.map(({ version }) => version))
  const ofFiles = files.map(({ version, migration, name, checksum }): ProjectMigration => {
    const row = applied.get(version)
    const state = row === undefined ? 'pending' : (row.checksum ?? checksum) === checksum ? 'applied' : 'changed'
    return { version, name: migration, title: name, state }
  })
  const missing = ledger
    .filter(({ version }) => !known.has(version))
    .map(({ version, name }): ProjectMigration => {
      return { version, name: name ?? '', title: `${version}_${name ?? ''}.sql`, state: 'missing' }
    })
  return [...ofFiles, ...missing].toSorted((one, other) => compareVersions(one.version, other.version))
}

function mustFit(migrations: readonly ProjectMigration[]): void {
  const titlesOf = (state: ProjectMigration['state']): string[] =>
    migrations.filter((migration) => migration.state === state).map(({ title }) => title)
  const changed = titlesOf('changed')
  if (changed.length > 0) {
    throw new MigrationError(
      'changed',
      `${changed.join(', ')} changed after it was applied: undo the change and put it into a new migration, or recreate the ` +
        'database from the files (`pando migrate reset`, which deletes its data)',
      changed,
    )
  }
  const missing = titlesOf('missing')
  if (missing.length > 0) {
    throw new MigrationError(
      'unknown_applied',
      `the database has ${missing.join(', ')}, but the folder does not: bring the file back (another branch?), or recreate ` +
        'the database from the files (`pando migrate reset`, which deletes its data)',
      missing,
    )
  }
}
