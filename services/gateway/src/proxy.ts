import { remainingMs } from '@pando/core/deadline'
import { onClientGone } from '@pando/http/client-gone'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { errors, toUpstreamRefusal } from './errors.ts'
import { type Forwarding, passHeaders } from './forwarded-headers.ts'
import { upgradeOf } from '@pando/http/upgrades'
import type { Upstream } from './upstreams/create-upstream.ts'
import type { Observe } from './upstreams/observations.ts'
import { createJourney } from './upstreams/journey.ts'
import type { Websockets } from './websockets.ts'

export type ProxyDeps = Forwarding & {
  readonly upstream: Upstream
  readonly websockets: Websockets
  readonly bodyBytesMax: number
  readonly observe: Observe
}

/**
 * Passes every request below the plugin's prefix to a service on other nodes and streams both ways. The upstream gets
 * what is left of the deadline, the request id, the trace and who is in front; a client that hangs up aborts it.
 * 503 when it cannot be reached or has too much to do, 502 when it breaks, 504 when the deadline passes before it begins
 * to answer. WebSockets pass through too.
 */
export function createProxy(deps: ProxyDeps): FastifyPluginCallback {
  const { upstream } = deps
  return (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    const route = {
      config: { service: upstream.name, routeClass: 'proxy' },
      handler: (request: FastifyRequest, reply: FastifyReply) => handle(deps, request, reply),
    }
    app.all('/', route)
    app.all('/*', route)
    done()
  }
}

function handle(deps: ProxyDeps, request: FastifyRequest, reply: FastifyReply): Promise<unknown> | undefined {
  const { upstream, bodyBytesMax } = deps
  const { raw } = request
  const upgrade = upgradeOf(raw)
  if (upgrade !== undefined) return deps.websockets.pass(upgrade, { request, reply, upstream })
  if (Number(raw.headers['content-length'] ?? 0) > bodyBytesMax) throw errors.bodyTooLarge(bodyBytesMax)
  void forward(deps, request, reply)
  return undefined
}

/** Sends the answer itself: a promise that the framework waits for would cost each request more than the rest of this. */
async function forward(deps: ProxyDeps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { upstream } = deps
  const journey = createJourney(deps, request)
  onClientGone(reply, () => journey.abort(new Error('the client hung up')))
  const leftMs = remainingMs(request.state.deadline)
  const timer = setTimeout(() => journey.abort(errors.upstreamTimeout(upstream.name)), leftMs)
  try {
    const { status, headers, body } = await journey.travel()
    passHeaders(headers, (name, value) => void reply.header(name, value))
    reply.code(status).send(body)
  } catch (error) {
    reply.send(toUpstreamRefusal(upstream.name, error))
  } finally {
    clearTimeout(timer)
  }
}
