import { systemClock } from '@pando/core/clock'
import type { ProjectKeys } from '@pando/http/auth/api-keys'
import type { OnCatalogue } from '@pando/server/data-layer'
import { toPostgresAddresses } from '@pando/server/database-options'
import { createFactories } from '@pando/server/factories'
import type { DevelopmentPage } from '@pando/server/factories'
import { startServer } from '@pando/server/start-server'
import type { RunningServer } from '@pando/server/start-server'
import { createRandomIds } from '@pando/telemetry/trace'

import type { Project } from '../project/load-project.ts'
import { readSigningKeys, signingKeysVariable } from '../project/signing-keys.ts'
import { keyVariables } from '../project/variables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { createLogView } from './log-view.ts'
import { readConfig, serverVariables } from './read-config.ts'

type ProjectServer = {
  readonly terminal: Terminal
  readonly project: Project
  readonly keys: ProjectKeys
  /** As the owner; the server itself logs in as `authenticator`. */
  readonly databaseUrl: string
  /** Shown on the page at `/`. */
  readonly publicDatabaseUrl: string
  readonly port: number
  /** Told of each catalogue right before it serves. */
  readonly onCatalogue?: OnCatalogue
}

/** Starts all services of a project in this process, as `config.toml`, the environment and the keys say. */
export async function startProjectServer(options: ProjectServer): Promise<RunningServer> {
  const { terminal, project, keys, databaseUrl, port } = options
  const environment = {
    // The log is for what goes wrong, unless someone asks for more.
    PANDO_LOG_LEVEL: 'warn',
    ...serverVariables(project.environment),
    [signingKeysVariable]: readSigningKeys(project),
    PANDO_JWT_SECRET: keys.jwtSecret,
    PANDO_JWT_PUBLISHABLE_KEY: keys.publishableKey,
    PANDO_JWT_SECRET_KEY: keys.secretKey,
    DATABASE_URL: databaseUrl,
  }
  const config = readConfig({ project: project.file.table, environment, flags: { port: String(port) } })
  const world = { clock: systemClock, ids: createRandomIds(), output: createLogView(terminal) }
  let url = ''
  const page = toPage(options, () => url)
  const factories = createFactories(toPostgresAddresses(config.database), page, options.onCatalogue)
  const server = await startServer(config, factories, world)
  url = server.url
  return server
}

function toPage({ project, keys, publicDatabaseUrl }: ProjectServer, url: () => string): DevelopmentPage {
  const secrets = new Set(['SERVICE_ROLE_KEY', 'SECRET_KEY', 'JWT_SECRET'])
  return {
    project: project.root,
    url,
    anonKey: keys.anonKey,
    addresses: () => [
      { name: 'API_URL', value: url(), secret: false },
      { name: 'DB_URL', value: publicDatabaseUrl, secret: true },
      ...Object.entries(keyVariables(keys)).map(([name, value]) => ({ name, value, secret: secrets.has(name) })),
    ],
  }
}
