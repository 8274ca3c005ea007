import { createDatabase } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'

import { listMigrations } from '../database/apply-migrations.ts'
import { toNamedDatabase } from '../database/open-database.ts'
import { installConventions } from '../database/prepare-database.ts'
import { Failure } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { formatCount } from '../terminal/format.ts'

type NodeDatabase = {
  /** As the owner. */
  readonly url: string
  /** As whom requests run. */
  readonly apiUrl: string
  readonly project: Project | undefined
}

/**
 * Makes a node's database ready to serve: installs the conventions it lacks and makes sure that requests can log in.
 * Returns what an operator should know of. The project's own migrations are only looked at: nodes come and go, a
 * migration happens once.
 */
export async function prepareNode({ url, apiUrl, project }: NodeDatabase): Promise<readonly string[]> {
  const warnings: string[] = []
  await installConventions(toNamedDatabase(url), {
    autoExposeNewTables: project?.settings.autoExposeNewTables ?? false,
    onNotice: ({ migration, message, hint }) => {
      if (hint !== undefined) warnings.push(`${migration}: ${message}. ${hint}`)
    },
    onNewer: (titles) =>
      warnings.push(
        `a newer version prepared the database (${titles.join(', ')}); this node goes on with what it knows: update it`,
      ),
  })
  await mustLogIn(apiUrl)
  return [...warnings, ...(project === undefined ? [] : await listWarnings(project, url))]
}

async function listWarnings(project: Project, url: string): Promise<string[]> {
  if (!project.settings.migrationsEnabled) return []
  try {
    const migrations = await listMigrations(project, toNamedDatabase(url))
    const pending = migrations.filter(({ state }) => state === 'pending')
    if (pending.length === 0) return []
    const titles = pending.map(({ title }) => title).join(', ')
    return [`${formatCount(pending.length, 'migration')} to apply (${titles}): run \`pando migrate up\``]
  } catch (error) {
    if (!(error instanceof Failure || error instanceof PostgresError)) throw error
    return [`the project's migrations could not be compared with the database: ${error.message}`]
  }
}

/**
 * A login that is refused would be refused for every request; what passes by itself is left to the server to wait for.
 */
async function mustLogIn(apiUrl: string): Promise<void> {
  const pool = createDatabase({ url: apiUrl, applicationName: 'pando', connectionsMax: 1 })
  try {
    await pool.query('select')
  } catch (error) {
    if (!(error instanceof PostgresError) || !error.fields.code.startsWith('28')) return
    const role = decodeURIComponent(new URL(apiUrl).username)
    throw new Failure('database', `Requests cannot log in to the database as ${role}: ${error.message}.`, {
      remedy:
        `Give ${role} the password of DATABASE_URL (alter role ${role} login password '…'), or name its own in ` +
        'PANDO_DATABASE_API_URL.',
      facts: { code: error.fields.code, role },
      cause: error,
    })
  } finally {
    await pool.close()
  }
}
