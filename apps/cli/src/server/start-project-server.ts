import { systemClock } from '@pando/core/clock'
import type { ProjectKeys } from '@pando/http/auth/api-keys'
import type { OnCatalogue } from '@pando/server/data-layer'
import { toConfiguredKeys } from '@pando/server/compose'
import type { ServerConfig } from '@pando/server/config'
import { toPostgresAddresses } from '@pando/server/database-options'
import { createFactories } from '@pando/server/factories'
import type { DevelopmentPage } from '@pando/server/factories'
import { startServer } from '@pando/server/start-server'
import type { RunningServer } from '@pando/server/start-server'
import { createRandomIds } from '@pando/telemetry/trace'

import type { Project } from '../project/load-project.ts'
import { ensureSigningKeys, signingKeysVariable } from '../project/signing-keys.ts'
import { keyVariables } from '../project/variables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { followSigningKeys } from './follow-signing-keys.ts'
import { createLogView } from './log-view.ts'
import { explainMistakes, readConfig, serverVariables } from './read-config.ts'

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
  const { terminal, project } = options
  const config = readProjectConfig(options)
  const world = { clock: systemClock, ids: createRandomIds(), output: createLogView(terminal) }
  let url = ''
  const page = toPage(options, () => url)
  const factories = createFactories(toPostgresAddresses(config.database), {
    page,
    mailbox: true,
    onCatalogue: options.onCatalogue,
  })
  const server = await startServer(config, factories, world).catch((error: unknown) => {
    throw explainMistakes(error)
  })
  url = server.url
  const following = followSigningKeys(project.root, () => {
    try {
      server.keys.replace(toConfiguredKeys(readProjectConfig(options)))
      terminal.done('tokens are signed with the new key')
    } catch (error) {
      terminal.fail(`The signing keys stay as they are: ${(error as Error).message}`)
    }
  })
  const stop = async () => {
    following.close()
    await server.stop()
  }
  return { ...server, stop }
}

function readProjectConfig({ project, keys, databaseUrl, port }: ProjectServer): ServerConfig {
  const environment = {
    // The log is for what goes wrong, unless someone asks for more.
    PANDO_LOG_LEVEL: 'warn',
    // One developer, with tests that sign up and in all day.
    PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
    // The page at `/` shows them.
    PANDO_GATEWAY_METRICS_PUBLIC: 'true',
    ...serverVariables(project.environment),
    [signingKeysVariable]: ensureSigningKeys(project),
    PANDO_JWT_SECRET: keys.jwtSecret,
    PANDO_JWT_PUBLISHABLE_KEY: keys.publishableKey,
    PANDO_JWT_SECRET_KEY: keys.secretKey,
    DATABASE_URL: databaseUrl,
  }
  const flags = {
    port: String(port),
    // Projects name their templates from their root or from the folder of config.toml.
    'auth-email-template-folders': [project.root, project.files],
  }
  return readConfig({ project: project.file.table, environment, flags })
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
