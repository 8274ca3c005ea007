import { createOperations } from '@pando/http/operations'
import type { HttpService } from '@pando/http/service'
import { acceptUpgrades } from '@pando/http/upgrades'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import { requireApiKey } from './api-key.ts'
import { addCompression } from './compression.ts'
import { addCors } from './cors.ts'
import type { GatewayDeps } from './deps.ts'
import { errors } from './errors.ts'
import { type KnownService, knownServices } from './known-services.ts'
import { createProxy } from './proxy.ts'
import { parseUpstreams } from './upstreams.ts'
import { createWebsockets, type Websockets } from './websockets.ts'

export { type GatewayValues, gatewayOptions } from './config.ts'
export type { GatewayDeps } from './deps.ts'

/**
 * Something that answers under a prefix: a service of this process, one on another node, or a word that there is none.
 */
type Mount = {
  readonly service: Omit<KnownService, 'name'>
  readonly plugin: FastifyPluginCallback | FastifyPluginAsync
}

/**
 * The door of a node. Its hooks (CORS, compression) are for the whole listener, so it is installed on the root
 * instance: `install(app)`. Services in `deps.services` answer in process, those in `PANDO_GATEWAY_UPSTREAMS` over
 * HTTP, and the other prefixes of the house say 501.
 */
export function createGateway(deps: GatewayDeps): { install(app: FastifyInstance): void } {
  const { values } = deps
  const websockets = openWebsockets(deps)
  const upstreams = mountUpstreams(deps, websockets)
  const mounts = [...deps.services.map(mountService), ...upstreams]
  const answered = new Set(mounts.map(({ service }) => service.prefix))
  mounts.push(...knownServices.filter(({ prefix }) => !answered.has(prefix)).map(mountAbsence))

  return {
    install(app) {
      addCors(app, { maxAgeMs: values.corsMaxAge })
      addCompression(app, { bytesMin: values.compressionBytesMin })
      app.register(
        createOperations({
          readiness: { ...deps.readiness, ...readinessOf(deps.services) },
          metrics: deps.metrics,
          metricsShown: values.metricsPublic,
        }),
      )
      for (const { service, plugin } of mounts)
        app.register(
          (scope, _options, done) => {
            if (values.apiKeyRequired) requireApiKey(scope, deps.authenticate, service)
            scope.register(plugin)
            done()
          },
          { prefix: service.prefix },
        )
      const speakers = [...upstreams.map(({ service }) => service), ...deps.services.filter(({ upgrades }) => upgrades)]
      const prefixes = speakers.map(({ prefix }) => `${prefix}/`)
      acceptUpgrades(app, ({ url }) => prefixes.some((prefix) => url!.startsWith(prefix)))
      // Fastify waits for all sockets to close, and those that left HTTP are nobody else's.
      app.addHook('preClose', async () => websockets.close())
    },
  }
}

function readinessOf(services: readonly HttpService[]) {
  return Object.fromEntries(services.map(({ name, ready }) => [name, ready]))
}

const keylessOf = (name: string): KnownService['keyless'] =>
  knownServices.find((known) => known.name === name)?.keyless ?? []

/** Every route of a service carries its name, for metrics and log lines. */
function mountService({ name, prefix, plugin }: HttpService): Mount {
  const named: FastifyPluginCallback = (app, _options, done) => {
    app.addHook('onRoute', (route) => {
      route.config = { service: name, ...route.config }
    })
    app.register(plugin as FastifyPluginCallback)
    done()
  }
  return { service: { prefix, keyless: keylessOf(name) }, plugin: named }
}

function openWebsockets({ values, traceparent, metrics }: GatewayDeps): Websockets {
  const websockets = createWebsockets({
    traceparent,
    openMax: values.websocketsMax,
    idleTimeoutMs: values.websocketIdleTimeout,
  })
  metrics.gauge({
    name: 'gateway_websockets_open',
    help: 'WebSockets that pass through to upstreams now.',
    read: websockets.open,
  })
  return websockets
}

function mountUpstreams({ values, limits, traceparent }: GatewayDeps, websockets: Websockets): Mount[] {
  const names = knownServices.map(({ name }) => name)
  return parseUpstreams(values.upstreams, names).map((upstream) => ({
    service: knownServices.find(({ name }) => name === upstream.name)!,
    plugin: createProxy({
      upstream,
      connectionsMax: values.upstreamConnectionsMax,
      connectTimeoutMs: values.upstreamConnectTimeout,
      websockets,
      traceparent,
      bodyBytesMax: limits.bodyBytesMax,
    }),
  }))
}

function mountAbsence(service: KnownService): Mount {
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    const refuse = (): never => {
      throw errors.serviceAbsent(service.name)
    }
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null, undefined))
    app.all('/', { config: { service: service.name, routeClass: 'absent' } }, refuse)
    app.all('/*', { config: { service: service.name, routeClass: 'absent' } }, refuse)
    done()
  }
  return { service, plugin }
}
