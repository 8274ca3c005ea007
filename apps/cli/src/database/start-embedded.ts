import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { EmbeddedPostgresError } from '@pando/postgres/embedded/error'
import type { EmbeddedPostgresCode } from '@pando/postgres/embedded/error'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'

import type { Cli } from '../cli.ts'
import { describeHolder, findPortHolder, portInUse } from '../dev/port-holder.ts'
import { Failure, toSentence } from '../failure.ts'
import type { ExitReason } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { ensureStateFolder } from '../project/state-folder.ts'
import { toLogins } from './logins.ts'
import type { Database, DatabasePort } from './open-database.ts'
import { markSeedDue } from './seed-mark.ts'

/** Starts the project's own PostgreSQL in `.pando/postgres`, making the cluster at the first start. */
export async function startEmbedded(cli: Cli, project: Project, wanted?: DatabasePort): Promise<Database> {
  try {
    return await start(project, wanted?.port)
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError)) throw error
    if (error.code !== 'port_in_use' || wanted === undefined) throw toFailure(error)
    if (wanted.isChosen) throw await portInUse(wanted.port, '--db-port')
    const who = describeHolder(await findPortHolder(wanted.port))
    cli.terminal.warn(`Port ${wanted.port} is in use by ${who}; PostgreSQL takes a free one.`)
    return await start(project, 0)
  }
}

async function start(project: Project, port: number | undefined): Promise<Database> {
  const dataFolder = join(ensureStateFolder(project.root), 'postgres')
  if (!existsSync(join(dataFolder, 'data'))) {
    markSeedDue(project.root, 'seed')
    markSeedDue(project.root, 'seed-scripts')
  }
  const server = await startEmbeddedPostgres({ dataFolder, port, program: 'pando' })
  return {
    ...toLogins(project.kind, { adminUrl: server.url, tcpUrl: server.tcpUrl }),
    isEmbedded: true,
    crashed: server.crashed,
    close: () => server.stop(),
  }
}

const reasons: Partial<Record<EmbeddedPostgresCode, ExitReason>> = { folder_in_use: 'busy', port_in_use: 'busy' }

function toFailure(error: EmbeddedPostgresError): Failure {
  return new Failure(reasons[error.code] ?? 'database', toSentence(error.message), {
    facts: { code: error.code, ...error.facts },
    cause: error,
  })
}
