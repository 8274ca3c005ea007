import { ConfigurationError } from '@pando/config/read-configuration'
import { systemClock } from '@pando/core/clock'
import { demoJwtSecret } from '@pando/http/auth/api-keys'
import { toKeys } from '@pando/http/auth/key-ring'
import type { HttpService } from '@pando/http/service'
import { createRandomIds } from '@pando/telemetry/trace'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { World } from './compose.ts'
import { readServerConfig } from './config.ts'
import { chooseRoles, type ServiceFactories } from './roles.ts'
import { drainOnSignals } from './signals.ts'
import { type RunningServer, startServer } from './start-server.ts'

const running: RunningServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A service that says what happens to it, and answers `/rest/v1/slow` when the test releases it. */
function createProbe() {
  const events: string[] = []
  const waiting: (() => void)[] = []
  const note = (event: string) => async (): Promise<void> => void events.push(event)
  const probe: HttpService = {
    name: 'rest',
    prefix: '/rest/v1',
    ready: () => ({ ready: true }),
    start: note('start'),
    drain: note('drain'),
    stop: note('stop'),
    plugin: (app, _options, done) => {
      app.get('/quick', () => ({ quick: true }))
      app.get('/slow', async () => {
        events.push('slow begins')
        await new Promise<void>((resolve) => waiting.push(resolve))
        return { slow: true }
      })
      done()
    },
  }
  return { probe, events, release: () => waiting.splice(0).forEach((resolve) => resolve()) }
}

async function setUp(environment: Record<string, string> = {}) {
  const { probe, events, release } = createProbe()
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  const world: World = {
    clock: systemClock,
    ids: createRandomIds(),
    output: { write, writeLater: write, close: () => void events.push('output closed') },
  }
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: demoJwtSecret,
      PANDO_SERVER_PORT: '0',
      PANDO_SERVER_DRAIN_DELAY: '0',
      PANDO_SERVER_DRAIN_SPREAD: '0',
      ...environment,
    },
  })
  const server = await startServer(config, { services: { rest: () => probe } }, world)
  running.push(server)
  return { server, events, release, lines, world }
}

const statusOf = async (url: string): Promise<number | string> => {
  try {
    return (await fetch(url)).status
  } catch {
    return 'no answer'
  }
}

/** Asks over one connection, as long as it stays open. */
function keepConnection({ url }: RunningServer): (path: string) => Promise<IncomingMessage> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return async (path) => {
    const sent = request(`${url}${path}`, { agent }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    await once(answer.resume(), 'end')
    return answer
  }
}

describe('a node', () => {
  it('starts its services, then listens, and is ready', async () => {
    const { server, events } = await setUp()
    expect(events).toEqual(['start'])
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${server.url}/health/ready`)).json()).toEqual({
      status: 'ready',
      parts: { node: { ready: true }, rest: { ready: true } },
    })
    expect(await statusOf(`${server.url}/rest/v1/quick`)).toBe(200)
  })

  it('shows metrics on the admin listener, and on the main one only when told to', async () => {
    const { server } = await setUp({ PANDO_SERVER_ADMIN_PORT: '0' })
    expect(await statusOf(`${server.url}/metrics`)).toBe(404)
    await fetch(`${server.url}/rest/v1/quick`)
    const page = await (await fetch(`${server.adminUrl}/metrics`)).text()
    expect(page).toContain('http_request_duration_seconds_count{service="rest",route="/rest/v1/quick"')
    expect(page).toContain('nodejs_eventloop_lag_seconds')
    const open = await setUp({ PANDO_GATEWAY_METRICS_PUBLIC: 'true' })
    expect(await statusOf(`${open.server.url}/metrics`)).toBe(200)
  })

  it('drains: not ready, finishes what runs, then stops in order', async () => {
    const { server, events, release } = await setUp({ PANDO_SERVER_DRAIN_DELAY: '600ms' })
    const slow = fetch(`${server.url}/rest/v1/slow`)
    await expect.poll(() => events).toContain('slow begins')
    const drained = server.drain()
    expect(server.ready()).toEqual({ ready: false, reason: 'draining' })
    const health = await fetch(`${server.url}/health/ready`)
    expect([health.status, health.headers.get('connection')]).toEqual([503, 'keep-alive'])
    expect(server.drain()).toBe(drained)
    await expect.poll(() => statusOf(`${server.url}/rest/v1/quick`), { timeout: 5000 }).toBe('no answer')
    expect(events).not.toContain('stop')
    release()
    expect((await slow).status).toBe(200)
    await drained
    expect(events).toEqual(['start', 'slow begins', 'drain', 'stop', 'output closed'])
  })

  it('retires where another process serves at its address: ready, no new connections, old ones served', async () => {
    const { server, events } = await setUp({ PANDO_SERVER_DRAIN_DELAY: '1s' })
    const ask = keepConnection(server)
    await ask('/rest/v1/quick')
    const retired = server.retire()
    expect(await statusOf(`${server.url}/rest/v1/quick`)).toBe('no answer')
    const health = await ask('/health/ready')
    expect([health.statusCode, health.headers.connection]).toEqual([200, 'close'])
    await retired
    expect(events).toEqual(['start', 'drain', 'stop', 'output closed'])
  })

  it('does not wait longer than drainTimeout for a request that does not end', async () => {
    const { server, events, lines } = await setUp({ PANDO_SERVER_DRAIN_TIMEOUT: '100ms' })
    const slow = statusOf(`${server.url}/rest/v1/slow`)
    await expect.poll(() => events).toContain('slow begins')
    await server.drain()
    expect(await slow).toBe('no answer')
    expect(lines.join('')).toContain('requests were still running')
  })

  it('serves connections that rest once more after it stopped listening, and says that it is the last time', async () => {
    const { server } = await setUp({ PANDO_SERVER_DRAIN_DELAY: '1s' })
    const ask = keepConnection(server)
    expect((await ask('/rest/v1/quick')).headers.connection).toBe('keep-alive')
    const drained = server.drain()
    expect((await ask('/rest/v1/quick')).headers.connection).toBe('keep-alive')
    await expect.poll(() => statusOf(`${server.url}/rest/v1/quick`), { timeout: 5000 }).toBe('no answer')
    const last = await ask('/rest/v1/quick')
    expect([last.statusCode, last.headers.connection]).toEqual([200, 'close'])
    await drained
  })

  it('does not lose a request of a client that keeps its connection through the drain', async () => {
    const { server } = await setUp({ PANDO_SERVER_DRAIN_DELAY: '1s' })
    const drained = server.drain()
    const statuses: (number | string)[] = []
    for (let count = 0; count < 5; count += 1) statuses.push(await statusOf(`${server.url}/rest/v1/quick`))
    expect(new Set(statuses)).toEqual(new Set([200]))
    await drained
  })

  it('stops what it started when the port is taken', async () => {
    const { server, world } = await setUp()
    const { probe, events } = createProbe()
    const config = readServerConfig({
      environment: { PANDO_JWT_SECRET: demoJwtSecret, PANDO_SERVER_PORT: new URL(server.url).port },
    })
    await expect(startServer(config, { services: { rest: () => probe } }, world)).rejects.toThrow('EADDRINUSE')
    expect(events).toEqual(['start', 'stop'])
  })

  it('replaces keys while it runs', async () => {
    const { server } = await setUp({
      PANDO_GATEWAY_API_KEY_REQUIRED: 'true',
      PANDO_JWT_PUBLISHABLE_KEY: 'sb_publishable_old',
    })
    const statusWith = async (apikey: string): Promise<number> =>
      (await fetch(`${server.url}/rest/v1/quick`, { headers: { apikey } })).status
    expect(await statusWith('sb_publishable_old')).toBe(200)
    server.keys.replace(toKeys({ jwtSecret: demoJwtSecret, publishableKey: 'sb_publishable_new' }))
    expect([await statusWith('sb_publishable_old'), await statusWith('sb_publishable_new')]).toEqual([401, 200])
  })
})

describe('configuration', () => {
  it('refuses to boot without a key or with a short one', async () => {
    await expect(startServer(readServerConfig({}), { services: {} })).rejects.toThrow('PANDO_JWT_SECRET')
    expect(() => readServerConfig({ environment: { PANDO_JWT_SECRET: 'short' } })).toThrow(ConfigurationError)
  })

  it('takes the port from flags, the environment, or the project', () => {
    const project = { api: { port: 1 } }
    const environment = { PANDO_SERVER_PORT: '2' }
    expect(readServerConfig({ project }).server.port).toBe(1)
    expect(readServerConfig({ project, environment }).server.port).toBe(2)
    expect(readServerConfig({ project, environment, flags: { port: '3' } }).server.port).toBe(3)
  })

  it('chooses roles by name and names what there is', () => {
    const factories: ServiceFactories = { rest: () => createProbe().probe, admin: () => createProbe().probe }
    const names = Object.keys(factories)
    expect(chooseRoles(['all'], names)).toEqual(['rest', 'admin'])
    expect(chooseRoles(['admin'], names)).toEqual(['admin'])
    expect([chooseRoles(['gateway'], names), chooseRoles(['gateway', 'rest'], names)]).toEqual([[], ['rest']])
    expect(() => chooseRoles(['rest', 'chat'], names)).toThrow('no service chat. There are: gateway, rest, admin, all.')
  })
})

describe('signals', () => {
  function setUpSignals(drain: () => Promise<void>) {
    const listeners: (() => void)[] = []
    const codes: number[] = []
    drainOnSignals({ on: (_signal, listener) => listeners.push(listener) }, { drain }, (code) => void codes.push(code))
    return { send: () => listeners[0]!(), codes }
  }

  it('the first drains and exits with 0, the second exits at once with 1', async () => {
    let finish: () => void = () => undefined
    const { send, codes } = setUpSignals(() => new Promise((resolve) => (finish = resolve)))
    send()
    expect(codes).toEqual([])
    finish()
    await expect.poll(() => codes).toEqual([0])
    send()
    expect(codes).toEqual([0, 1])
  })

  it('a drain that fails exits with 1', async () => {
    const { send, codes } = setUpSignals(() => Promise.reject(new Error('stuck')))
    send()
    await expect.poll(() => codes).toEqual([1])
  })
})
