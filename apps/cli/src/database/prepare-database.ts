import { fileURLToPath } from 'node:url'

import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import type { ConventionOptions } from '@pando/postgres/migrations/conventions'

import { Failure } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { withQueries } from './connect.ts'
import { explainingErrors } from './explain-errors.ts'
import { ensurePasswords } from './logins.ts'
import type { Database } from './open-database.ts'
import { isSeedDue } from './seed-mark.ts'

const servicesFolder = fileURLToPath(new URL('../../../../services', import.meta.url))

/**
 * Brings a database up to the conventions that projects and services count on; costs little when it has them. Tells
 * whether the database is new to the project, so that the seed is due.
 */
export async function prepareDatabase(project: Project, database: Database): Promise<{ seedIsDue: boolean }> {
  const applied = await installConventions(database, project.settings)
  return { seedIsDue: database.isEmbedded ? isSeedDue(project.root, 'seed') : applied.includes(firstConvention) }
}

const firstConvention = 'conventions/0001-roles.sql'

type Installation = Pick<ConventionOptions, 'onNotice' | 'onNewer'> & {
  /** Whether the API roles may use what migrations create in `public`, without a grant. */
  readonly autoExposeNewTables: boolean
}

/** Installs what the conventions lack and returns the files' names; then the roles that log in have passwords. */
export async function installConventions(database: Database, options: Installation): Promise<string[]> {
  const { adminUrl, isEmbedded } = database
  const { autoExposeNewTables, onNotice, onNewer } = options
  const { hasRoles } = isEmbedded ? { hasRoles: true } : await inspectServer(adminUrl)
  const folders = await listConventionFolders(servicesFolder)
  const parameters = { 'pando.auto_expose_new_tables': autoExposeNewTables ? 'on' : 'off' }
  const applied = await explainingErrors(adminUrl, () =>
    ensureConventions({ url: adminUrl, folders, parameters, onNotice, onNewer }),
  )
  await ensurePasswords(database, { rolesAreNew: !hasRoles })
  return applied
}

export const versionNumberMin = 150_000

type Server = { readonly version: string; readonly number: number; readonly hasRoles: boolean }

async function inspectServer(url: string): Promise<Server> {
  const [server] = await withQueries(url, (queries) => queries.query<Server>(selectServer))
  if (server !== undefined && server.number >= versionNumberMin) return server
  throw new Failure('database', `PostgreSQL ${server?.version ?? ''} is too old; Pando needs 15 or later.`, {
    remedy: 'Name another server, or none: then the embedded PostgreSQL is used.',
  })
}

const selectServer = `
  select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
         exists (select from pg_catalog.pg_roles where rolname = 'authenticator') as "hasRoles"`
