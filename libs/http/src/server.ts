import type { Clock } from '@pando/core/clock'
import { Refusal } from '@pando/core/refusal'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import { formatServerTiming } from '@pando/telemetry/stages'
import type { Ids } from '@pando/telemetry/trace'
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Socket } from 'node:net'
import { createAccount } from './account.ts'
import type { HttpValues } from './config.ts'
import { clientErrorRefusal, limitConnections, refuseSocket } from './connections.ts'
import { errors } from './errors.ts'
import { isAmbiguousPath, pathOf } from './paths.ts'
import { problemMediaType, toProblem, toRefusal } from './problem.ts'
import { startRequest } from './request-state.ts'
import { toTrust } from './trust-proxy.ts'

export type HttpServerDeps = {
  readonly limits: HttpValues
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
  /** Share of requests that get a log line, 0 to 1; 1 if not given. */
  readonly requestShare?: number
  /** While it says yes, each answer asks its client to open a new connection, which goes to another node. */
  readonly sendsAway?: () => boolean
}

/**
 * Makes a Fastify instance that keeps every limit, knows each request (`request.state`), times and counts it, and
 * answers errors with problem documents (RFC 9457). Services are registered on it under their prefixes; one that speaks
 * another protocol's errors sets its own error handler inside its plugin.
 */
export function createHttpServer(deps: HttpServerDeps): FastifyInstance {
  const { limits } = deps
  const app = fastify({
    bodyLimit: limits.bodyBytesMax,
    connectionTimeout: limits.idleTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    requestTimeout: limits.receiveTimeout,
    trustProxy: toTrust(limits.trustProxy),
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => '',
    // One logger for all requests, which writes their lines itself: a child for each would cost more than the line.
    loggerInstance: deps.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    // Longer than any URL that is let in, so that a long segment meets the limit of the URL and not one of the router.
    // Nobody here asks the framework for the query string.
    routerOptions: { maxParamLength: limits.headersBytesMax, querystringParser: () => noQuery },
    schemaController: { compilersFactory: noSchemas },
    http: {
      maxHeaderSize: limits.headersBytesMax,
      headersTimeout: limits.headersTimeout,
      // Node looks for late senders only this often; 30 s, its default, would make a limit of 15 s one of 45.
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headersTimeout / 4)),
    },
    frameworkErrors: (_error, request, reply) => answerError(deps, errors.malformedUrl(), request, reply),
  })
  guardSocket(app, deps)
  keepAccount(app, deps)
  answerProblems(app, deps)
  return app
}

const noQuery = Object.freeze({})

/** Services check what comes in and write what goes out; compilers of schemas beside them would only take memory. */
const refuseSchema = (): never => {
  throw new Error('A route has a schema for the framework. Check its input in its handler instead.')
}
const noSchemas = { buildValidator: refuseSchema, buildSerializer: refuseSchema }

/** What is refused before there is a request: too many sockets, malformed HTTP, late and oversized headers. */
function guardSocket(app: FastifyInstance, { limits, metrics }: HttpServerDeps): void {
  const refused = metrics.counter({
    name: 'http_sockets_refused_total',
    help: 'Sockets closed before they became a request, by the code of the refusal.',
    labels: ['code'],
  })
  const { server } = app
  const open = limitConnections(server, limits, ({ code }) => refused.series({ code }).add())
  metrics.gauge({ name: 'http_sockets_open', help: 'Sockets that are open now.', read: open })
  // Node would drop or misname what is past its own count; their bytes are limited, their number is checked below.
  server.maxHeadersCount = 0
  server.removeAllListeners('clientError')
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const refusal = clientErrorRefusal(error, limits)
    refused.series({ code: refusal.code }).add()
    refuseSocket(socket as Parameters<typeof refuseSocket>[0], refusal)
  })
}

/** Three plain hooks, none of them async and none with a closure per request: this is the price of every request. */
function keepAccount(app: FastifyInstance, deps: HttpServerDeps): void {
  const { limits, clock, ids, sendsAway } = deps
  const { requestTimeout, serverTiming } = limits
  const stateDeps = { clock, ids, requestTimeout, serverTiming }
  const closeAccount = createAccount({ ...deps, requestShare: deps.requestShare ?? 1 })
  const watchSocket = createSocketWatch(closeAccount)
  app.decorateRequest('state', null as unknown as FastifyRequest['state'])

  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    const state = startRequest(stateDeps, raw)
    request.state = state
    watchSocket(raw.socket, reply)
    reply.header('x-request-id', state.id)
    if (sendsAway?.() === true) reply.header('connection', 'close')
    const url = raw.url!
    if (url.length > limits.urlBytesMax) return done(errors.urlTooLong(limits))
    if (raw.rawHeaders.length > limits.headersMax * 2) return done(errors.tooManyHeaders(limits))
    if (isAmbiguousPath(pathOf(url))) return done(errors.ambiguousPath())
    done()
  })
  app.addHook('onSend', ({ state: { isTimed, stages } }, reply, payload, done) => {
    if (isTimed) reply.header('server-timing', formatServerTiming(stages, clock.monotonic() - stages.startMs))
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    closeAccount(reply, false)
    // A WebSocket may live for hours; what it began with need not.
    if (reply.raw.statusCode === 101) releaseSocket(request.raw.socket)
    done()
  })
}

const lastReply = Symbol('last reply')
/** Null is a socket that is watched and has no request. */
type WatchedSocket = Socket & { [lastReply]?: FastifyReply | null }

const releaseSocket = (socket: WatchedSocket): void => {
  socket[lastReply] = null
}

/**
 * Fastify has no hook for a client that hangs up before the answer, unless it pays for a listener each request. This
 * listens once a socket and closes the account of the request that was last on it.
 */
function createSocketWatch(closeAccount: ReturnType<typeof createAccount>) {
  function onClose(this: WatchedSocket): void {
    const reply = this[lastReply]
    if (reply) closeAccount(reply, true)
  }
  return (socket: WatchedSocket, reply: FastifyReply): void => {
    if (socket[lastReply] === undefined) socket.once('close', onClose)
    socket[lastReply] = reply
  }
}

function answerProblems(app: FastifyInstance, deps: HttpServerDeps): void {
  const methodsByUrl = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set()
    for (const each of [method].flat()) methods.add(each)
    methodsByUrl.set(url, methods)
  })
  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.raw.url!)
    const allowed = methodsByUrl.get(path)
    const refusal =
      allowed === undefined ? errors.notFound(path) : errors.methodNotAllowed(request.method, [...allowed].sort())
    return answerError(deps, refusal, request, reply)
  })
}

function answerError(deps: HttpServerDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = toRefusal(fromFramework(error, request, deps.limits))
  const requestId = request.state?.id
  if (refusal.status >= 500 && refusal !== error) deps.logger.error({ err: error, id: requestId }, 'a request failed')
  return reply
    .code(refusal.status)
    .headers(refusal.headers)
    .header('content-type', problemMediaType)
    .send(JSON.stringify(toProblem(refusal, requestId)))
}

/** Fastify's own refusals, by its codes; what it would answer 5xx is a fault like any other. */
function fromFramework(error: unknown, request: FastifyRequest, limits: HttpValues): unknown {
  if (error instanceof Refusal || !(error instanceof Error)) return error
  const { code, statusCode = 500 } = error as Error & { code?: string; statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return errors.bodyTooLarge(limits.bodyBytesMax)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return errors.unsupportedMediaType(request.headers['content-type'] ?? '')
  if (code?.startsWith('FST_') && statusCode >= 400 && statusCode < 500) return errors.malformedBody(error)
  return error
}
