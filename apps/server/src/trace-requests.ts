import type { Clock } from '@pando/core/clock'
import { pathOf } from '@pando/http/paths'
import { formatTraceparent, type Ids, parseTraceparent } from '@pando/telemetry/trace'
import type { Departure, RequestSpan, Tracing } from '@pando/telemetry/tracing'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const spans = new WeakMap<FastifyRequest, RequestSpan>()

/**
 * Records a server span for each request of `app`, from the arrival of its headers to the last byte of its answer, with
 * a child for each stage. Added only to a node that traces: others have no hook for it.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing, clock: Clock): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { traceId, stages } = request.state
    const { traceparent } = request.raw.headers
    // Durations come from the monotonic clock; the wall clock says only when the first one began.
    const startMs = clock.now() - (clock.monotonic() - stages.startMs)
    const parent = traceparent === undefined ? undefined : parseTraceparent(String(traceparent))
    const span = tracing.begin({ traceId, parent, startMs })
    spans.set(request, span)
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      span.end(toDeparture(request, reply, startMs + clock.monotonic() - stages.startMs))
    }
    // The first alone for a WebSocket, the second alone for a client that hangs up.
    reply.raw.once('finish', end).once('close', end)
    done()
  })
}

function toDeparture(request: FastifyRequest, reply: FastifyReply, endMs: number): Departure {
  const { method, state, raw, protocol } = request
  const { url: route, config } = request.routeOptions
  const status = reply.raw.headersSent ? reply.statusCode : undefined
  const isFault = status !== undefined && status >= 500
  return {
    name: route === undefined ? method : `${method} ${route}`,
    attributes: {
      'http.request.method': method,
      'url.scheme': protocol,
      // Without the query: filters and keys in it are the user's own.
      'url.path': pathOf(raw.url!),
      'pando.request_id': state.id,
      ...(route === undefined ? {} : { 'http.route': route, 'pando.service': config.service ?? 'http' }),
      ...(status === undefined ? { 'error.type': 'client_gone' } : { 'http.response.status_code': status }),
      ...(isFault ? { 'error.type': String(status) } : {}),
      ...(state.role === '' ? {} : { 'pando.role': state.role }),
    },
    isFault,
    stages: state.stages,
    endMs,
  }
}

/** The header `traceparent` for the next hop: the span of the request, or an id of its own where none is recorded. */
export function traceparentWith(ids: Ids): (request: FastifyRequest) => string {
  return (request) => {
    const { traceId, traceSampled } = request.state
    const span = spans.get(request)
    return formatTraceparent({ traceId, sampled: span?.isSampled ?? traceSampled }, span?.spanId ?? ids.spanId())
  }
}
