import { remainingMs } from '@pando/core/deadline'
import { onClientGone } from '@pando/http/client-gone'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { errors, toUpstreamRefusal } from './errors.ts'
import { type Forwarding, withoutHopByHop } from './forwarded-headers.ts'
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
      handler: (request: FastifyRequest, reply: FastifyReply) => forward(deps, request, reply),
    }
    app.all('/', route)
    app.all('/*', route)
    done()
  }
}

async function forward(deps: ProxyDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { upstream, bodyBytesMax } = deps
  const { raw, state } = request
  const upgrade = upgradeOf(raw)
  if (upgrade !== undefined) return deps.websockets.pass(upgrade, { request, reply, upstream })
  if (Number(raw.headers['content-length'] ?? 0) > bodyBytesMax) throw errors.bodyTooLarge(bodyBytesMax)
  const journey = createJourney(deps, request)
  onClientGone(reply, () => journey.abort(new Error('the client hung up')))
  const timer = setTimeout(() => journey.abort(errors.upstreamTimeout(upstream.name)), remainingMs(state.deadline))
  try {
    const { status, headers, body } = await journey.travel()
    return reply.code(status).headers(withoutHopByHop(headers)).send(body)
  } catch (error) {
    throw toUpstreamRefusal(upstream.name, error)
  } finally {
    clearTimeout(timer)
  }
}
