import { admissionOptions } from '@pando/admission/config'
import { rateLimitOptions } from '@pando/admission/rate-limits/config'
import { createLocalRateStore } from '@pando/admission/rate-limits/local-rate-store'
import { readConfiguration } from '@pando/config/read-configuration'
import { systemClock } from '@pando/core/clock'
import { demoKeys } from '@pando/http/auth/api-keys'
import { createAuthenticator } from '@pando/http/auth/authenticator'
import { jwtOptions } from '@pando/http/auth/config'
import { createKeyRing, toKeys } from '@pando/http/auth/key-ring'
import { httpOptions } from '@pando/http/config'
import { createHttpServer } from '@pando/http/server'
import type { HttpService } from '@pando/http/service'
import { createLogger } from '@pando/telemetry/logger'
import { createMetrics } from '@pando/telemetry/metrics'
import { createRandomIds, formatTraceparent } from '@pando/telemetry/trace'
import type { FastifyPluginCallback } from 'fastify'
import { Readable } from 'node:stream'
import { gatewayOptions } from '../config.ts'
import { createGateway } from '../index.ts'

export const keys = await demoKeys()
const nothing = async (): Promise<void> => undefined
/** What a test must end, last first. */
export const endings: (() => Promise<unknown>)[] = []
export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end()
}

const bigText = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `row ${id}` })))

/** A service of this process, as the data API is one. */
const plugin: FastifyPluginCallback = (app, _options, done) => {
  app.get('/rows', (_request, reply) => reply.type('application/json; charset=utf-8').send(Buffer.from(bigText)))
  app.get('/page', (_request, reply) =>
    reply.code(206).header('content-range', '0-499/*').header('etag', '"v1"').type('application/json').send(bigText),
  )
  app.get('/bytes', (_request, reply) =>
    reply.code(206).header('content-range', 'bytes 0-9/99').type('text/plain').send(bigText),
  )
  app.get('/small', () => ({ small: true }))
  app.get('/stream', (_request, reply) => reply.type('text/csv').send(Readable.from(['a,b\n', '1,2\n'.repeat(2000)])))
  app.get('/events', (_request, reply) => reply.type('text/event-stream').send(Readable.from(['data: 1\n\n'])))
  app.options('/rows', (_request, reply) => reply.header('allow', 'GET').send())
  done()
}
const rest: HttpService = {
  name: 'rest',
  prefix: '/rest/v1',
  plugin,
  ready: () => ({ ready: true }),
  start: nothing,
  drain: nothing,
  stop: nothing,
}

/** A service of this process with routes of a test's own. */
export const serviceOf = (name: string, plugin: FastifyPluginCallback): HttpService => ({
  ...rest,
  name,
  prefix: `/${name}/v1`,
  plugin,
})

/** A listener with a gateway and the service `rest`, or others, on it. */
export function setUpGateway(environment: Record<string, string> = {}, services: readonly HttpService[] = [rest]) {
  const config = readConfiguration(
    {
      http: httpOptions,
      jwt: jwtOptions,
      gateway: gatewayOptions,
      admission: admissionOptions,
      rateLimits: rateLimitOptions,
    },
    { environment },
  )
  const metrics = createMetrics({ process: false })
  const ids = createRandomIds()
  const ring = createKeyRing(toKeys(keys))
  const logger = createLogger({ level: 'silent', stream: { write: () => undefined } })
  const app = createHttpServer({
    limits: config.http,
    logger,
    clock: systemClock,
    metrics,
    ids,
  })
  const authenticate = createAuthenticator({ keys: ring, clock: systemClock, values: config.jwt })
  const gateway = createGateway({
    admission: config.admission,
    rateLimits: config.rateLimits,
    rateStore: createLocalRateStore({ clock: systemClock, bucketsMax: config.rateLimits.bucketsMax }),
    recall: authenticate.recall,
    random: Math.random,
    values: config.gateway,
    limits: config.http,
    authenticate,
    services,
    metrics,
    logger,
    clock: systemClock,
    traceparent: ({ state: { traceId, traceSampled } }) =>
      formatTraceparent({ traceId, sampled: traceSampled }, ids.spanId()),
  })
  gateway.install(app)
  endings.push(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  return { app, metrics, drain: gateway.drain }
}
