import { createAdmin } from '@pando/admin'
import {
  createAuth,
  createProviders,
  createOutbox,
  createPasswords,
  createSecretBox,
  createSweep,
  deliverByHooks,
  limitDelivery,
  type Outbox,
} from '@pando/auth'
import type { Bus } from '@pando/bus/bus'
import type { ChangeReader } from '@pando/changes/reader'
import type { Address } from '@pando/contract/overview'
import { deriveKey } from '@pando/http/auth/derive-key'
import { toIssuerLimits } from '@pando/http/auth/issuer-options'
import { createTokenSigner } from '@pando/http/auth/token-signer'
import { createDatabase } from '@pando/postgres/database'
import { type CommitLog, createCommitLog } from '@pando/postgres/replicas/commit-log'
import { defaultServersLimits } from '@pando/postgres/replicas/servers'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { HttpService } from '@pando/http/service'
import { createRest } from '@pando/rest'
import { randomBytes } from 'node:crypto'
import { createAuthDelivery } from './auth-delivery.ts'
import { createAuthGuards } from './auth-guards.ts'
import { createChangeLog } from './change-log.ts'
import { createDatabaseServers, type DatabaseServers } from './database-servers.ts'
import { createDashboardService } from './dashboard-service.ts'
import { createDataLayer, type DataLayer, type OnCatalogue, type PostgresAddresses } from './data-layer.ts'
import { listSecrets } from './list-secrets.ts'
import { createMailboxService } from './mailbox-service.ts'
import { createNodeBus } from './node-bus.ts'
import { createEndedSessions } from './ended-sessions.ts'
import { noteWrites } from './note-writes.ts'
import { createRealtimeService } from './realtime-service.ts'
import { createNodeCache, type NodeCache } from './response-cache.ts'
import { shareCommits, type SharedCommits } from './shared-commits.ts'
import type { EndedSessionsPart, Parts, ServiceFactories, Shared } from './roles.ts'

/** What only `pando dev` shows: where the project is and which keys it has. */
export type DevelopmentPage = {
  readonly project: string
  readonly url: () => string
  readonly anonKey: string
  readonly addresses: () => readonly Address[]
}

/** What a node of `pando dev` has and one in production has not. */
export type Development = {
  /** Shown at `/`, with the admin service behind it. */
  readonly page?: DevelopmentPage
  /** Whether messages that nobody delivers are kept in memory and shown at `/mailbox`; without it they are refused. */
  readonly mailbox?: boolean
  /** Told of each catalogue right before it serves. */
  readonly onCatalogue?: OnCatalogue
}

/** How each part of a node is made. */
export function createFactories(addresses: PostgresAddresses, development: Development = {}): Parts {
  const { page, mailbox = false, onCatalogue } = development
  let servers: DatabaseServers | undefined
  const serversOf = (shared: Pick<Shared, 'clock' | 'logger' | 'metrics'>): DatabaseServers | undefined =>
    addresses.servers && (servers ??= createDatabaseServers(shared, addresses, addresses.servers))
  /** Where requests and services find Postgres: the primary, wherever it is. */
  const liveOf = (shared: Pick<Shared, 'clock' | 'logger' | 'metrics'>) => {
    const { follow = (url: string): ServerUrl => url } = serversOf(shared) ?? {}
    const { apiUrl, listenUrl, authUrl, realtimeUrl, changesUrl, mode } = addresses
    // A pooler finds the primary itself.
    return {
      apiUrl: mode === 'transactional' ? apiUrl : follow(apiUrl),
      listenUrl: follow(listenUrl),
      authUrl: follow(authUrl),
      realtimeUrl: follow(realtimeUrl),
      changesUrl: follow(changesUrl),
    }
  }
  let data: DataLayer | undefined
  // All services of a node share one; it lives and dies with the service that needs it most.
  const dataOf = (shared: Shared): DataLayer => {
    const { config, clock, logger } = shared
    const { apiUrl, listenUrl } = liveOf(shared)
    const { mode } = addresses
    const cache = cacheOf(shared)
    const onLoaded: OnCatalogue = (...loaded) => {
      cache?.empty('the catalogue is another')
      onCatalogue?.(...loaded)
    }
    const deps = { apiUrl, listenUrl, mode, servers: serversOf(shared), clock, logger, onCatalogue: onLoaded }
    return (data ??= createDataLayer({ ...deps, ...commitsOf(shared), rest: config.rest }))
  }
  const replicaLagMax = addresses.servers?.replicaHosts.length ? addresses.servers.lagMsMax : undefined
  /** Where callers must be shown what they wrote: by replicas, or by kept answers. */
  const replicasOf = ({ clock, config: { cache } }: Shared) =>
    replicaLagMax === undefined && cache.mode === 'off' ? undefined : { clock, lagMsMax: replicaLagMax ?? cache.lagMax }
  let ownCommits: CommitLog | undefined
  const ownCommitsOf = ({ clock, config: { cache } }: Shared): CommitLog | undefined => {
    if (cache.mode === 'off' || replicaLagMax !== undefined) return undefined
    return (ownCommits ??= createCommitLog({
      clock,
      ...defaultServersLimits,
      lagMsMax: Math.max(cache.lagMax, cache.staleWhileShedding),
    }))
  }
  let sharedCommits: SharedCommits | undefined
  const commitsOf = (shared: Shared) => {
    const own = ownCommitsOf(shared)
    const commits = own ?? (replicaLagMax === undefined ? undefined : serversOf(shared)!.commits)
    return { commits: own, sharedCommits: commits && (sharedCommits ??= shareCommits(commits, shared.bus)) }
  }
  let changeLog: ChangeReader | undefined
  const changeLogOf = (shared: Shared): ChangeReader =>
    (changeLog ??= createChangeLog(shared, liveOf(shared).changesUrl))
  let cache: NodeCache | undefined
  const cacheOf = (shared: Shared): NodeCache | undefined => {
    if (shared.config.cache.mode === 'off') return undefined
    const [secret] = listSecrets(shared.config)
    const deps = { reader: changeLogOf(shared), url: liveOf(shared).listenUrl, secret, commits: ownCommitsOf(shared) }
    return (cache ??= createNodeCache(shared, deps))
  }
  let outbox: Outbox | undefined
  const outboxOf = ({ config, clock }: Shared): Outbox =>
    (outbox ??= createOutbox({ clock, messagesMax: config.auth.mailboxMessagesMax }))
  const services: ServiceFactories = {
    rest: (shared) => {
      const { run, transaction, catalogue, effectiveConfigs, ready, start, stop } = dataOf(shared)
      const { authenticate, authenticateBy, config } = shared
      const { anonRole } = config.jwt
      const answers = cacheOf(shared)
      const deps = {
        authenticate,
        authenticateBy,
        anonRole,
        run,
        transaction,
        catalogue,
        catalogueReadiness: ready,
        replicas: replicasOf(shared),
        cache: answers && {
          answers,
          commits: ownCommitsOf(shared) ?? serversOf(shared)!.commits,
          options: config.cache,
          recall: shared.authenticateAnySession.recall,
        },
        options: config.rest,
        effectiveConfigs,
      }
      return {
        ...createRest(deps),
        start: async () => {
          answers?.start()
          await start()
        },
        stop: async () => {
          await Promise.all([answers?.stop(), stop()])
        },
      }
    },
    auth: (shared) =>
      createAuthService(shared, {
        url: liveOf(shared).authUrl,
        outbox: mailbox ? outboxOf(shared) : undefined,
        commits: commitsOf(shared).sharedCommits,
      }),
    realtime: (shared) => createRealtimeService(shared, liveOf(shared), changeLogOf(shared)),
    ...(mailbox ? { mailbox: (shared: Shared) => createMailboxService(outboxOf(shared)) } : {}),
    ...(page === undefined ? {} : developmentServices(page, dataOf)),
  }
  return {
    services,
    endedSessions: (shared) => {
      const sessions = createEndedSessions(shared, liveOf(shared).listenUrl)
      return withServers(sessions, serversOf(shared))
    },
    // `pando dev` is alone: the lock of its folder sees to that.
    bus: page === undefined ? (shared) => createBusOf(shared, liveOf(shared).listenUrl) : undefined,
  }
}

/** Undefined where there is no secret to talk under: a node that only knows the public keys of others. */
function createBusOf(shared: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>, url: ServerUrl): Bus | undefined {
  const [secret] = listSecrets(shared.config)
  if (secret !== undefined) return createNodeBus(shared, { url, secret })
  shared.logger.warn('this node hears nothing of others of its deployment: it has no secret to talk to them under')
  return undefined
}

/** The servers are watched before anything asks for them, and for as long. */
function withServers(sessions: EndedSessionsPart, servers: DatabaseServers | undefined): EndedSessionsPart {
  if (servers === undefined) return sessions
  return {
    ...sessions,
    start: async () => {
      await servers.start()
      await sessions.start()
    },
    stop: async () => {
      await sessions.stop()
      await servers.stop()
    },
  }
}

type AuthParts = {
  readonly url: ServerUrl
  readonly outbox: Outbox | undefined
  /** Where callers are shown what they wrote. */
  readonly commits: SharedCommits | undefined
}

function createAuthService(shared: Shared, { url, outbox, commits }: AuthParts): HttpService {
  const { authenticateAnySession, keys: keyRing, config, clock, logger, apiUrl } = shared
  const { jwt, auth: options } = config
  const secrets = listSecrets(config)
  if (secrets.length === 0)
    throw new Error('No secret to derive keys from. Set PANDO_AUTH_SECRET, PANDO_JWT_SECRET or PANDO_JWT_SIGNING_KEYS.')
  const pepper = deriveKey(secrets[0]!, 'auth codes')
  const database = createDatabase({
    url,
    applicationName: 'pando auth',
    connectionsMax: options.connectionsMax,
    prepares: true,
    onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  })
  const guards = createAuthGuards(shared, { url, database, pepper })
  const { hooks, limits } = guards
  const onMailFailed = (kind: string, error: unknown): void =>
    logger.error({ kind, err: error }, 'the hook send_email did not send a mail')
  const delivered = deliverByHooks(createAuthDelivery(shared, outbox), { hooks, options, apiUrl, onMailFailed })
  // What only the mailbox shows costs nobody anything.
  const counts = {
    mails: outbox === undefined || options.smtpHost !== null || hooks.sendEmail !== undefined,
    texts: outbox === undefined || hooks.sendSms !== undefined,
  }
  const delivery = limitDelivery(delivered, { limits, options, counts })
  const { mustDeliver, sendMail, sendNotice, sendText, verifyText } = delivery
  const service = createAuth({
    authenticate: authenticateAnySession,
    database,
    clock,
    randomBytes,
    signer: createTokenSigner(keyRing, clock),
    passwords: createPasswords(options),
    secretBox: createSecretBox(secrets.map((secret) => deriveKey(secret, 'auth secrets at rest'))),
    pepper,
    ...guards,
    providers: createProviders({ options, clock, limits: toIssuerLimits(config.issuers) }),
    mustDeliver,
    sendMail,
    sendNotice,
    sendText,
    verifyText,
    apiUrl,
    options,
  })
  const sweep = createSweep({
    database,
    tokenMsMax: options.jwtExpiry + jwt.leeway,
    onFailed: (error) => logger.warn({ err: error }, 'lines of ended sessions could not be removed'),
  })
  const noted = commits && noteWrites(service, { database, commits, recall: authenticateAnySession.recall })
  return {
    ...(noted ?? service),
    start: async () => {
      delivery.start()
      sweep.start()
      await service.start()
    },
    drain: async () => {
      await service.drain()
      await delivery.drain()
    },
    stop: async () => {
      sweep.stop()
      commits?.stop()
      await delivery.close()
      await service.stop()
    },
  }
}

function developmentServices(page: DevelopmentPage, dataOf: (shared: Shared) => DataLayer): ServiceFactories {
  return {
    admin: (shared) => {
      const { catalogue, countRows } = dataOf(shared)
      return createAdmin({
        ...page,
        catalogue,
        countRows,
        schemas: shared.config.rest.schemas,
      })
    },
    dashboard: createDashboardService,
  }
}
