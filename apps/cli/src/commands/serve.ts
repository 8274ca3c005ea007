import cluster from 'node:cluster'

import { demoKeys } from '@pando/http/auth/api-keys'
import type { ServerConfig } from '@pando/server/config'
import { toPostgresAddresses } from '@pando/server/database-options'
import { isGatewayOnly } from '@pando/server/roles'

import type { Cli, GlobalOptions } from '../cli.ts'
import { externalUrl } from '../database/open-database.ts'
import { Failure } from '../failure.ts'
import { findProject } from '../project/find-project.ts'
import { loadProject } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { readSigningKeys, signingKeysVariable } from '../project/signing-keys.ts'
import { prepareNode } from '../server/prepare-node.ts'
import { readConfig, serverVariables } from '../server/read-config.ts'

type ServeOptions = GlobalOptions & {
  readonly services?: string
  readonly host?: string
  /** 0 for as many as the machine has cores. */
  readonly workers?: number
}

/**
 * `pando serve`: a node of a deployment, until SIGTERM. Everything comes from flags, the environment and, where there
 * is a project, its `config.toml`; no key is invented. A database that lacks the conventions gets them before the node
 * listens; a node that is only a gateway needs no database. With `--workers` this process starts others that serve, each
 * of which comes through here again.
 */
export async function runServe(cli: Cli, options: ServeOptions): Promise<void> {
  const project = await findOwnProject(cli)
  const config = readServeConfig(cli, options, project)
  mustHaveDatabase(config)
  mustHaveKey(config)
  await refuseDemoKeys(config)
  if (cluster.isWorker) return (await import('../server/serve-node.ts')).serveAsWorker(config)
  const warnings = await prepare(config, project)
  if (config.server.workers === null) return (await import('../server/serve-node.ts')).serveAlone(config, warnings)
  return (await import('../server/serve-workers.ts')).serveByWorkers(config, warnings)
}

function readServeConfig(cli: Cli, options: ServeOptions, project: Project | undefined): ServerConfig {
  return readConfig({
    project: project?.file.table,
    environment: {
      ...serverVariables(cli.environment),
      [signingKeysVariable]: cli.environment[signingKeysVariable] ?? (project && readSigningKeys(project)),
      DATABASE_URL: externalUrl(cli),
    },
    flags: {
      services: options.services,
      host: options.host,
      port: options.port?.toString(),
      workers: options.workers?.toString(),
      'auth-email-template-folders': project && [project.root, project.files],
    },
  })
}

/** Once a node, however many workers it has. Returns what an operator should know of. */
async function prepare({ server, database }: ServerConfig, project: Project | undefined): Promise<readonly string[]> {
  if (isGatewayOnly(server.services)) return []
  return await prepareNode({ url: database.url!.reveal(), apiUrl: toPostgresAddresses(database).apiUrl, project })
}

function mustHaveDatabase({ server, database }: ServerConfig): void {
  if (database.url !== null || isGatewayOnly(server.services)) return
  throw new Failure('usage', 'DATABASE_URL is not set; a deployment has a PostgreSQL of its own.', {
    remedy: 'Set DATABASE_URL=postgres://user:password@host:5432/database, or use `pando dev` on your machine.',
  })
}

function mustHaveKey({ jwt }: ServerConfig): void {
  if (jwt.secret !== null || jwt.jwks !== null || jwt.signingKeys !== null) return
  throw new Failure('project', 'There is no key to verify tokens with.', {
    remedy:
      'Set PANDO_JWT_SECRET (32 bytes or more), PANDO_JWT_SIGNING_KEYS or PANDO_JWT_JWKS; `pando keys` prints those of a project.',
  })
}

/** A node in a container needs no project folder; one that is named must be there. */
async function findOwnProject(cli: Cli): Promise<Project | undefined> {
  const isThere = cli.options.project !== undefined || findProject(cli.workingFolder, { upwards: false }) !== undefined
  return isThere ? await loadProject(cli) : undefined
}

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/

/** Keys that stand in a million public repositories protect nothing. */
async function refuseDemoKeys({ server, jwt }: ServerConfig): Promise<void> {
  if (loopback.test(server.host)) return
  const known = new Set(Object.values(await demoKeys()))
  const secrets = {
    PANDO_JWT_SECRET: jwt.secret,
    PANDO_JWT_PUBLISHABLE_KEY: jwt.publishableKey,
    PANDO_JWT_SECRET_KEY: jwt.secretKey,
  }
  const found = Object.entries(secrets).filter(([, secret]) => secret !== null && known.has(secret.reveal()))
  if (found.length === 0) return
  const names = found.map(([name]) => name).join(', ')
  throw new Failure(
    'project',
    `${names} ${found.length === 1 ? 'is a well-known demo key' : 'are well-known demo keys'}, and ${server.host} can be reached by others.`,
    {
      remedy:
        'Make keys of your own: `pando init` and `pando keys` in a new folder print a set. Demo keys are good on 127.0.0.1 only.',
      facts: { names: found.map(([name]) => name), host: server.host },
    },
  )
}
