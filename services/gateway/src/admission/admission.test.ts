import type { FastifyPluginCallback } from 'fastify'
import { request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, keys, serviceOf, setUpGateway } from '../testing/set-up-gateway.ts'

afterEach(endAll)

/** One place, and one that only the most important may have. */
const twoPlaces = {
  PANDO_ADMISSION_LIMIT_INITIAL: '1',
  PANDO_ADMISSION_LIMIT_MIN: '1',
  PANDO_ADMISSION_LIMIT_MAX: '1',
  PANDO_ADMISSION_QUEUE_MAX: '0',
}

/** Services that answer when they are told to. */
function heldServices() {
  const held: (() => void)[] = []
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null, undefined))
    app.post('/read', (request) => Array.fromAsync(request.raw).then((chunks) => ({ chunks: chunks.length })))
    app.all('/*', (_request, reply) => void held.push(() => void reply.send('{}')))
    done()
  }
  const services = ['rest', 'auth', 'storage', 'realtime', 'functions', 'graphql'].map((name) =>
    serviceOf(name, plugin),
  )
  return { services, held, answerAll: () => held.splice(0).forEach((answer) => answer()) }
}

function setUp(environment: Record<string, string> = twoPlaces) {
  const { services, held, answerAll } = heldServices()
  const { app, metrics } = setUpGateway(environment, services)
  const untilHeld = async (count: number): Promise<void> => {
    while (held.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { app, metrics, held, answerAll, untilHeld }
}

describe('when there is no place', () => {
  it.each([
    ['rest', { code: 'gateway.overloaded', details: null, hint: null, message: expect.any(String) }],
    ['auth', { code: 503, error_code: 'over_request_rate_limit', msg: expect.any(String) }],
    ['storage', { statusCode: '503', error: 'SlowDown', message: expect.any(String) }],
    ['realtime', { error: expect.any(String) }],
    ['functions', { code: 'gateway.overloaded', message: expect.any(String) }],
    ['graphql', { errors: [{ message: expect.any(String), extensions: { code: 'gateway.overloaded' } }] }],
  ])('%s says so in the words of its protocol, with a time to come back', async (name, body) => {
    const { app, answerAll, untilHeld } = setUp()
    const first = app.inject({ url: `/${name}/v1/things` })
    await untilHeld(1)
    const refused = await app.inject({ url: `/${name}/v1/things`, headers: { authorization: 'Bearer not.a.token' } })
    expect([refused.statusCode, refused.json()]).toEqual([503, body])
    expect(['1', '2', '3', '4', '5']).toContain(refused.headers['retry-after'])
    expect(refused.headers).toMatchObject({ 'access-control-allow-origin': '*', 'x-request-id': expect.any(String) })
    answerAll()
    expect((await first).statusCode).toBe(200)
  })

  it('clients of accounts that ask for codes in words get them', async () => {
    const { app, answerAll, untilHeld } = setUp()
    const first = app.inject({ url: '/auth/v1/user' })
    await untilHeld(1)
    const refused = await app.inject({ url: '/auth/v1/user', headers: { 'x-supabase-api-version': '2024-01-01' } })
    expect(refused.json()).toEqual({ code: 'over_request_rate_limit', message: expect.any(String) })
    expect(refused.headers['x-supabase-api-version']).toBe('2024-01-01')
    answerAll()
    await first
  })

  it('the most important have a reserve, and a place that is given back is taken again', async () => {
    const { app, held, answerAll, untilHeld } = setUp()
    const read = app.inject({ url: '/auth/v1/user' })
    await untilHeld(1)
    const refresh = app.inject({ method: 'POST', url: '/auth/v1/token?grant_type=refresh_token' })
    await untilHeld(2)
    expect((await app.inject({ url: '/auth/v1/user' })).statusCode).toBe(503)
    answerAll()
    expect([(await read).statusCode, (await refresh).statusCode]).toEqual([200, 200])
    const next = app.inject({ url: '/auth/v1/user' })
    await untilHeld(1)
    expect(held).toHaveLength(1)
    answerAll()
    expect((await next).statusCode).toBe(200)
  })

  it('passwords pass: they have an admission of their own', async () => {
    const { app, answerAll, untilHeld } = setUp()
    const url = '/auth/v1/token?grant_type=password'
    const all = Array.from({ length: 5 }, () => app.inject({ method: 'POST', url }))
    await untilHeld(5)
    answerAll()
    expect((await Promise.all(all)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200])
  })

  it.each([
    ['a secret key', () => ({ apikey: keys.secretKey }), 200],
    ['a publishable key', () => ({ apikey: keys.publishableKey }), 503],
    ['no key', () => ({}), 503],
    ['a token that nobody verified', () => ({ authorization: `Bearer ${keys.serviceRoleKey}` }), 503],
  ])('a caller with %s may or may not say how important it is', async (_name, credentials, status) => {
    const { app, answerAll, untilHeld } = setUp()
    const first = app.inject({ url: '/rest/v1/things' })
    await untilHeld(1)
    const headers = { 'x-pando-priority': 'critical', ...credentials() }
    const second = app.inject({ url: '/rest/v1/things', headers })
    if (status === 200) await untilHeld(2)
    else await second
    answerAll()
    expect([(await first).statusCode, (await second).statusCode]).toEqual([200, status])
  })

  it('health, metrics and other services have nothing to do with it', async () => {
    const { app, answerAll, untilHeld, metrics } = setUp()
    const first = app.inject({ url: '/rest/v1/things' })
    await untilHeld(1)
    expect((await app.inject({ url: '/rest/v1/things' })).statusCode).toBe(503)
    expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200)
    const other = app.inject({ url: '/storage/v1/things' })
    await untilHeld(2)
    const page = await metrics.render()
    expect(page).toContain('admission_refused_total{service="rest",class="reads",reason="full"} 1')
    expect(page).toContain('admission_admitted_total{service="rest",class="reads",how="at_once"} 1')
    expect(page).toContain('admission_in_flight{service="rest"} 1')
    expect(page).toContain('admission_limit{service="rest"} 1')
    expect(page).toContain('admission_slow_in_flight{service="rest"} 0')
    expect(page).toContain('admission_slow_limit{service="rest"} 1')
    expect(page).toContain('admission_saturation_ratio{service="rest"} ')
    expect(page).toContain('admission_waiting{service="rest",class="reads"} 0')
    answerAll()
    expect([(await first).statusCode, (await other).statusCode]).toEqual([200, 200])
  })

  it('can be switched off', async () => {
    const { app, answerAll, untilHeld } = setUp({ ...twoPlaces, PANDO_ADMISSION_ENABLED: 'false' })
    const all = Array.from({ length: 5 }, () => app.inject({ url: '/rest/v1/things' }))
    await untilHeld(5)
    answerAll()
    expect((await Promise.all(all)).every(({ statusCode }) => statusCode === 200)).toBe(true)
  })
})

describe('over sockets', () => {
  const listen = async (environment: Record<string, string>) => {
    const { app, ...rest } = setUp(environment)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return { ...rest, app, at: { port, host: '127.0.0.1', agent: false as const } }
  }

  it('who waits is served when a place is free, and who hangs up gives it back', async () => {
    const patient = { ...twoPlaces, PANDO_ADMISSION_QUEUE_MAX: '10', PANDO_ADMISSION_WAIT: '1h' }
    const { at, answerAll, untilHeld, held, metrics } = await listen(patient)
    const first = send({ ...at, path: '/rest/v1/things' }).on('error', () => undefined)
    first.end()
    await untilHeld(1)
    const second = new Promise<number>((resolve) => {
      send({ ...at, path: '/rest/v1/things' }, (response) => resolve(response.resume().statusCode!)).end()
    })
    while (!(await metrics.render()).includes('admission_waiting{service="rest",class="reads"} 1'))
      await new Promise((resolve) => setImmediate(resolve))
    held.splice(0)
    first.destroy()
    await untilHeld(1)
    answerAll()
    expect(await second).toBe(200)
    expect(await metrics.render()).toContain('admission_admitted_total{service="rest",class="reads",how="waited"} 1')
  })

  it('who is slow to send a body keeps no place meanwhile, and takes one again when it is there', async () => {
    const { at, metrics } = await listen(twoPlaces)
    const headers = { 'content-length': '10' }
    const slow = send({ ...at, method: 'POST', path: '/rest/v1/read', headers })
    const answer = new Promise<number>((resolve) => slow.on('response', ({ statusCode }) => resolve(statusCode!)))
    slow.write('12345')
    await expect.poll(() => metrics.render()).toContain('admission_in_flight{service="rest"} 1')
    await expect.poll(() => metrics.render(), { timeout: 10_000 }).toContain('admission_in_flight{service="rest"} 0')
    slow.end('67890')
    expect(await answer).toBe(200)
    await expect.poll(() => metrics.render()).toContain('admission_in_flight{service="rest"} 0')
  })

  it('a large body is not read to be refused, and ends the connection', async () => {
    const { at, answerAll, untilHeld } = await listen(twoPlaces)
    const first = new Promise<number>((resolve) => {
      send({ ...at, path: '/storage/v1/things' }, (response) => resolve(response.resume().statusCode!)).end()
    })
    await untilHeld(1)
    const headers = { 'content-length': String(50 * 1024 * 1024) }
    const refused = await new Promise<{ status?: number; connection?: string }>((resolve) => {
      const upload = send({ ...at, method: 'POST', path: '/storage/v1/things', headers }, (response) => {
        resolve({ status: response.statusCode, connection: response.headers.connection })
        upload.destroy()
      })
      upload.on('error', () => undefined)
      upload.write('the first bytes')
    })
    expect(refused).toEqual({ status: 503, connection: 'close' })
    answerAll()
    expect(await first).toBe(200)
  })
})
