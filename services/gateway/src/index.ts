import { createOperations } from '@pando/http/operations'
import type { HttpService } from '@pando/http/service'
import { acceptUpgrades } from '@pando/http/upgrades'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import { createAdmission } from './admission/admission.ts'
import { requireApiKey } from './api-key.ts'
import { addCompression } from './compression.ts'
import { addCors } from './cors.ts'
import type { GatewayDeps } from './deps.ts'
import { errors } from './errors.ts'
import { type KnownService, knownServices, serviceNames } from './known-services.ts'
import { createProxy } from './proxy.ts'
import { createRateLimits } from './rate-limits/rate-limits.ts'
import { createUpstreams } from './upstreams/create-upstreams.ts'
import { countAddresses, renderObservations } from './upstreams/observations.ts'
import { createWebsockets, type Websockets } from './websockets.ts'

export { type GatewayValues, gatewayOptions } from './config.ts'
export type { GatewayDeps } from './deps.ts'

/**
 * Something that answers under a prefix: a service of this process, one on another node, or a word that there is none.
 */
type Mount = {
  readonly service: KnownService
  readonly plugin: FastifyPluginCallback | FastifyPluginAsync
  /** Whether there may be more requests than can be served: not the tools of those who look after the node. */
  readonly isForApps: boolean
  /** Whether another node answers, which counts its requests as well. */
  readonly isPassedOn: boolean
  readonly handleShed?: HttpService['handleShed']
}

export type Gateway = {
  install(app: FastifyInstance): void
  /** Closes the WebSockets that pass through, one after the other within `spreadMs`. */
  drain(spreadMs: number): Promise<void>
}

/**
 * The door of a node. Its hooks (CORS, compression) are for the whole listener, so it is installed on the root
 * instance: `install(app)`. Services in `deps.services` answer in process, those in `PANDO_GATEWAY_UPSTREAMS` over
 * HTTP, and the other prefixes of the house say 501.
 */
export function createGateway(deps: GatewayDeps): Gateway {
  const { values } = deps
  const admission = deps.admission.enabled ? createAdmission({ ...deps, values: deps.admission }) : undefined
  const rateLimits = createRateLimits({ ...deps, policies: deps.rateLimits.policies, store: deps.rateStore })
  const websockets = openWebsockets(deps)
  const upstreams = mountUpstreams(deps, websockets)
  const mounts: Mount[] = [...deps.services.map(mountService), ...upstreams.mounts]
  const answered = new Set(mounts.map(({ service }) => service.prefix))
  mounts.push(...knownServices.filter(({ prefix }) => !answered.has(prefix)).map(mountAbsence))

  return {
    drain: websockets.drain,
    install(app) {
      addCors(app, { maxAgeMs: values.corsMaxAge, services: deps.services })
      admission?.install(app)
      addCompression(app, { bytesMin: values.compressionBytesMin })
      app.register(
        createOperations({
          readiness: { ...deps.readiness, ...readinessOf(deps.services) },
          metrics: deps.metrics,
          metricsShown: values.metricsPublic,
        }),
      )
      for (const { service, plugin, isForApps, isPassedOn, handleShed } of mounts)
        app.register(
          (scope, _options, done) => {
            if (isForApps) {
              rateLimits.guard(scope, { ...service, isPassedOn })
              // Whether a key is right is asked of requests that find a place.
              admission?.guard(scope, { ...service, handleShed: values.apiKeyRequired ? undefined : handleShed })
            }
            if (values.apiKeyRequired) requireApiKey(scope, deps.authenticate, service)
            scope.register(plugin)
            done()
          },
          { prefix: service.prefix },
        )
      const speakers = [
        ...upstreams.mounts.map(({ service }) => service),
        ...deps.services.filter(({ upgrades }) => upgrades),
      ]
      const prefixes = speakers.map(({ prefix }) => `${prefix}/`)
      acceptUpgrades(app, ({ url }) => prefixes.some((prefix) => url!.startsWith(prefix)))
      app.addHook('onReady', () => upstreams.start())
      app.addHook('onClose', () => upstreams.stop())
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
function mountService({ name, prefix, plugin, handleShed }: HttpService): Mount {
  const named: FastifyPluginCallback = (app, _options, done) => {
    app.addHook('onRoute', (route) => {
      route.config = { service: name, ...route.config }
    })
    app.register(plugin as FastifyPluginCallback)
    done()
  }
  const service = { name, prefix, keyless: keylessOf(name) }
  return { service, plugin: named, isForApps: serviceNames.includes(name), isPassedOn: false, handleShed }
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

/** The services on other nodes: how requests get there, and what has to be started and stopped for that. */
function mountUpstreams(deps: GatewayDeps, websockets: Websockets) {
  const { limits, traceparent, logger, metrics } = deps
  const observe = renderObservations(logger, metrics)
  const upstreams = createUpstreams({ ...deps, names: serviceNames, random: Math.random, observe })
  countAddresses(metrics, upstreams.all)
  const mounts = upstreams.all.map((upstream) => ({
    service: knownServices.find(({ name }) => name === upstream.name)!,
    plugin: createProxy({ upstream, websockets, traceparent, observe, bodyBytesMax: limits.bodyBytesMax }),
    isForApps: true,
    isPassedOn: true,
  }))
  return { ...upstreams, mounts }
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
  return { service, plugin, isForApps: false, isPassedOn: false }
}
