import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Cli } from '../cli.ts'
import { withQueries } from '../database/connect.ts'
import { listMigrations } from '../database/apply-migrations.ts'
import { describeTarget, externalUrl, withDatabase } from '../database/open-database.ts'
import type { Database } from '../database/open-database.ts'
import { versionNumberMin } from '../database/prepare-database.ts'
import { Failure } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { stateFolder } from '../project/state-folder.ts'
import { formatCount, formatDuration } from '../terminal/format.ts'
import { fail, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'
import { checkShards } from './shard-checks.ts'

/** Everything about the database; the embedded one is started for it when it does not run. */
export async function checkDatabase(cli: Cli, project: Project): Promise<Finding[]> {
  if (externalUrl(cli) === undefined && !existsSync(join(stateFolder(project.root), 'postgres'))) {
    return [ok('database', 'not made yet; the first `pando dev` makes it')]
  }
  try {
    return await withDatabase(cli, project, async (database) => [
      ...toFindings(describeTarget(cli, project), await inspect(database), Date.now()),
      await checkMigrations(project, database),
      ...(await checkShards(database)),
    ])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [fail('database', error.message, error.remedy ?? 'Look at the message above.')]
  }
}

const inspectDatabase = `
  select current_setting('server_version') as version,
         current_setting('server_version_num')::int as version_number,
         current_setting('wal_level') as wal_level,
         extract(epoch from clock_timestamp()) * 1000 as now_ms,
         array(select rolname::text from pg_catalog.pg_roles) as roles,
         array(select extname::text from pg_catalog.pg_extension) as extensions,
         array(select extname::text from pg_catalog.pg_extension where extversion = 'empty' order by 1) as empty_extensions`

type Facts = {
  readonly version: string
  readonly version_number: number
  readonly wal_level: string
  readonly now_ms: string
  readonly roles: readonly string[]
  readonly extensions: readonly string[]
  /** Stand-ins of the embedded PostgreSQL for what it does not have. */
  readonly empty_extensions: readonly string[]
}

async function inspect(database: Database): Promise<Facts> {
  const [facts] = await withQueries(database.url, (queries) => queries.query<Facts>(inspectDatabase))
  if (facts === undefined) throw new Error('a select without from gave no row')
  return facts
}

const wantedRoles = ['anon', 'authenticated', 'service_role', 'authenticator', 'postgres']
const wantedExtensions = ['pgcrypto', 'uuid-ossp', 'pg_stat_statements']
/** Tokens carry times; this is the leeway that verification grants them. */
const clockSkewMsMax = 30_000

/** Judges what the database says about itself; `nowMs` is this machine's clock. */
export function toFindings(target: string, facts: Facts, nowMs: number): Finding[] {
  const missingRoles = wantedRoles.filter((role) => !facts.roles.includes(role))
  const missingExtensions = wantedExtensions.filter((name) => !facts.extensions.includes(name))
  const skewMs = Math.abs(Number(facts.now_ms) - nowMs)
  return [
    facts.version_number >= versionNumberMin
      ? ok('database', `PostgreSQL ${facts.version}, ${target}`)
      : fail('database', `PostgreSQL ${facts.version} is too old`, 'Use PostgreSQL 15 or later.'),
    facts.wal_level === 'logical'
      ? ok('wal_level', 'logical')
      : warn(
          'wal_level',
          `${facts.wal_level}: realtime cannot follow changes`,
          "Run `alter system set wal_level = 'logical'` and restart PostgreSQL.",
        ),
    missingRoles.length === 0
      ? ok('roles', wantedRoles.join(', '))
      : fail(
          'roles',
          `missing: ${missingRoles.join(', ')}`,
          'Run `pando migrate up`; its user must be allowed to create roles.',
        ),
    missingExtensions.length === 0
      ? ok('extensions', facts.extensions.join(', '))
      : warn(
          'extensions',
          `missing: ${missingExtensions.join(', ')}`,
          "Install PostgreSQL's contrib modules, then run `pando migrate up`.",
        ),
    ...checkEmptyExtensions(facts.empty_extensions),
    skewMs <= clockSkewMsMax
      ? ok('clock', 'agrees with the database')
      : fail(
          'clock',
          `differs from the database by ${formatDuration(skewMs)}`,
          'Set the clocks (NTP): tokens are refused before or after their time.',
        ),
  ]
}

function checkEmptyExtensions(names: readonly string[]): Finding[] {
  if (names.length === 0) return []
  return [
    warn(
      'extensions',
      `empty, because the embedded PostgreSQL does not have them: ${names.join(', ')}`,
      'Nothing, unless your SQL uses one of them: then set DATABASE_URL to a PostgreSQL that has it.',
    ),
  ]
}

async function checkMigrations(project: Project, database: Database): Promise<Finding> {
  const migrations = await listMigrations(project, database)
  const count = (state: string) => migrations.filter((migration) => migration.state === state).length
  if (count('changed') > 0) {
    return fail(
      'migrations',
      `${formatCount(count('changed'), 'migration')} changed after being applied`,
      'Undo the change and write a new migration, or run `pando migrate reset`.',
    )
  }
  if (count('missing') > 0) {
    return warn(
      'migrations',
      `${formatCount(count('missing'), 'applied migration')} without a file`,
      'Restore the files, or run `pando migrate reset`.',
    )
  }
  if (count('pending') > 0)
    return warn('migrations', `${formatCount(count('pending'), 'migration')} to apply`, 'Run `pando migrate up`.')
  return ok('migrations', `${formatCount(migrations.length, 'migration')}, all applied`)
}
