import { fileURLToPath } from 'node:url'

import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'

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
  const { adminUrl, isEmbedded } = database
  if (!isEmbedded) await mustBeRecent(adminUrl)
  const folders = await listConventionFolders(servicesFolder)
  const parameters = { 'pando.auto_expose_new_tables': project.settings.autoExposeNewTables ? 'on' : 'off' }
  const applied = await explainingErrors(adminUrl, () => ensureConventions({ url: adminUrl, folders, parameters }))
  await ensurePasswords(database)
  return { seedIsDue: isEmbedded ? isSeedDue(project.root, 'seed') : applied.includes(firstConvention) }
}

const firstConvention = 'conventions/0001-roles.sql'

export const versionNumberMin = 150_000

async function mustBeRecent(url: string): Promise<void> {
  const [server] = await withQueries(url, (queries) =>
    queries.query<{ version: string; number: number }>(selectVersion),
  )
  if (server !== undefined && server.number >= versionNumberMin) return
  throw new Failure('database', `PostgreSQL ${server?.version ?? ''} is too old; Pando needs 15 or later.`, {
    remedy: 'Name another server, or none: then the embedded PostgreSQL is used.',
  })
}

const selectVersion = `
  select current_setting('server_version') as version, current_setting('server_version_num')::int as number`
