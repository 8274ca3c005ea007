import type { Authenticate } from '@pando/core/authenticate'
import { type Clock, systemClock } from '@pando/core/clock'
import { type Readiness, withoutState } from '@pando/core/service'
import { createGateway } from '@pando/gateway'
import { createAuthenticator } from '@pando/http/auth/authenticator'
import { refuseEnded } from '@pando/http/auth/ended-sessions'
import { toIssuerLimits } from '@pando/http/auth/issuer-options'
import { type TokenRules, withTokenRules } from '@pando/http/auth/token-rules'
import { createKeyRing, type KeyRing, type Keys, toKeys } from '@pando/http/auth/key-ring'
import { createOperations } from '@pando/http/operations'
import { createHttpServer, type HttpServerDeps } from '@pando/http/server'
import type { HttpService } from '@pando/http/service'
import { bufferedOutput, createLogger, type Logger, type LogOutput } from '@pando/telemetry/logger'
import { createMetrics, type Metrics } from '@pando/telemetry/metrics'
import { createRandomIds, type Ids } from '@pando/telemetry/trace'
import { createTracing } from '@pando/telemetry/tracing'
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { ServerConfig } from './config.ts'
import { createNodeRateStore } from './rate-store.ts'
import { chooseRoles, type EndedSessionsPart, type Parts, type Shared } from './roles.ts'
import { traceparentWith, traceRequests } from './trace-requests.ts'

/** What a node takes from the world; tests give their own. */
export type World = {
  readonly clock: Clock
  readonly ids: Ids
  readonly output: LogOutput
  /** Its own if not given. */
  readonly metrics?: Metrics
}

/** A node, put together and not yet started. */
export type Node = {
  readonly logger: Logger
  /** The installation's keys; replacing them takes effect at once. */
  readonly keys: KeyRing
  readonly services: readonly HttpService[]
  /** The public listener. */
  readonly app: FastifyInstance
  /** The admin listener, when there is one. */
  readonly admin?: FastifyInstance
  readonly ready: Readiness
  /** Loads what the node needs before it serves. */
  readonly prepare: () => Promise<void>
  /** From now on `/health/ready` says no. */
  readonly leave: () => void
  /** From now on answers ask clients to connect anew. */
  readonly sendAway: () => void
  /** Ends the WebSockets that pass through to other nodes, one after the other within `spreadMs`. */
  readonly drainGateway: (spreadMs: number) => Promise<void>
  /** Frees what the node holds beside its services and listeners. */
  readonly release: () => Promise<void>
}

/** The real world: system clock, random ids, standard output. */
export function realWorld(config: ServerConfig): World {
  return {
    clock: systemClock,
    ids: createRandomIds(),
    output: bufferedOutput({ bufferBytes: config.log.bufferBytes }),
  }
}

/** Puts a node together, top-down: telemetry, keys, services, gateway, listeners. */
export function composeNode(config: ServerConfig, parts: Parts, world: World): Node {
  const { clock, ids, output } = world
  const logger = createLogger({ level: config.log.level, stream: output })
  const metrics = world.metrics ?? createMetrics({ process: true })
  const tracing = createTracing({ values: config.otel, ids, logger })
  let leaving = false
  let sendsAway = false

  const keys = createKeyRing(toConfiguredKeys(config))
  const issuers = { policies: config.issuerPolicies, limits: toIssuerLimits(config.issuers) }
  const authenticatorDeps = { keys, clock, values: config.jwt, issuers }
  const authenticateAnySession = createAuthenticator(authenticatorDeps)
  const sessions = parts.endedSessions?.({ config, clock, logger, metrics }) ?? noneEnd
  const authenticate = refuseEnded(authenticateAnySession, sessions)
  const authenticateBy = (rules: TokenRules): Authenticate =>
    refuseEnded(createAuthenticator(withTokenRules(authenticatorDeps, rules)), sessions)

  const bus = parts.bus?.({ config, clock, logger, metrics })
  const apiUrl = (): string => config.server.externalUrl?.replace(/\/$/, '') ?? listenerUrl(app)
  const shared: Shared = {
    config,
    authenticate,
    authenticateBy,
    authenticateAnySession,
    onSessionEnded: sessions.onEnded,
    bus,
    keys,
    clock,
    logger,
    metrics,
    apiUrl,
  }
  const names = chooseRoles(config.server.services, Object.keys(parts.services))
  const services = names.map((name) => parts.services[name]!(shared))
  const hasAdmin = config.server.adminPort !== null
  const onAdmin = services.filter(({ name }) => hasAdmin && name === 'admin')
  const onMain = services.filter((service) => !onAdmin.includes(service))

  const node: Readiness = () => (leaving ? { ready: false, reason: 'draining' } : { ready: true })
  const readiness = { node, ...Object.fromEntries(services.map(({ name, ready }) => [name, ready])) }
  const serverDeps: HttpServerDeps = {
    limits: config.http,
    requestShare: config.log.requestShare,
    sendsAway: () => sendsAway,
    logger,
    metrics,
    clock,
    ids,
  }
  const rateStore = createNodeRateStore({ config, clock, logger, metrics })
  const gateway = createGateway({
    values: config.gateway,
    limits: config.http,
    services: onMain,
    readiness,
    authenticate,
    admission: config.admission,
    rateLimits: config.rateLimits,
    rateStore,
    recall: authenticateAnySession.recall,
    random: Math.random,
    metrics,
    logger,
    clock,
    traceparent: traceparentWith(ids),
  })

  const app = createHttpServer(serverDeps)
  if (tracing !== undefined) traceRequests(app, tracing, clock)
  gateway.install(app)
  // The admin listener's own traffic is not counted among the requests of the node.
  const admin = hasAdmin ? createHttpServer({ ...serverDeps, metrics: createMetrics({ process: false }) }) : undefined
  admin?.register(createOperations({ readiness, metrics, metricsShown: true }))
  for (const { plugin, prefix } of onAdmin) admin?.register(plugin as FastifyPluginCallback, { prefix })

  return {
    logger,
    keys,
    services,
    app,
    admin,
    ready: () =>
      Object.values(readiness)
        .map((part) => part())
        .find((part) => !part.ready) ?? { ready: true },
    prepare: async () => {
      await tracing?.start()
      await sessions.start()
      await bus?.start()
      rateStore.start()
    },
    leave: () => void (leaving = true),
    sendAway: () => void (sendsAway = true),
    drainGateway: gateway.drain,
    release: async () => {
      await bus?.stop()
      await rateStore.stop()
      await sessions.stop()
      await tracing?.stop()
      output.close()
    },
  }
}

/** Of a node without a database: sessions end with their tokens. */
const noneEnd: EndedSessionsPart = {
  ...withoutState,
  has: () => false,
  loweredAt: () => undefined,
  onEnded: () => () => {},
}

/** The address that this machine reaches an open listener at. */
function listenerUrl(app: FastifyInstance): string {
  const { address, family, port } = app.server.address() as AddressInfo
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return `http://${family === 'IPv6' && host === address ? `[${host}]` : host}:${port}`
}

/** The keys that the configuration names; throws when there is none to verify tokens with, or one must not be used. */
export function toConfiguredKeys({ jwt }: ServerConfig): Keys {
  if (jwt.secret === null && jwt.jwks === null && jwt.signingKeys === null)
    throw new Error(
      'No key to verify tokens with. Set PANDO_JWT_SECRET (at least 32 bytes), PANDO_JWT_SIGNING_KEYS or PANDO_JWT_JWKS.',
    )
  const project = {
    jwtSecret: jwt.secret?.reveal(),
    publishableKey: jwt.publishableKey?.reveal(),
    secretKey: jwt.secretKey?.reveal(),
  }
  return toKeys(project, { jwks: jwt.jwks?.reveal(), signingKeys: jwt.signingKeys?.reveal() })
}
