import { readConfiguration } from '@pando/config/read-configuration'
import { systemClock } from '@pando/core/clock'
import { remainingMs } from '@pando/core/deadline'
import { Refusal } from '@pando/core/refusal'
import { createLogger } from '@pando/telemetry/logger'
import { createMetrics } from '@pando/telemetry/metrics'
import { createRandomIds } from '@pando/telemetry/trace'
import * as fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { httpOptions } from './config.ts'
import { onClientGone } from './client-gone.ts'
import { credentialsOf } from './credentials.ts'
import { createOperations } from './operations.ts'
import { isAmbiguousPath } from './paths.ts'
import { endRequestStage } from './request-state.ts'
import { createHttpServer } from './server.ts'

const running: FastifyInstance[] = []
afterEach(async () => {
  for (const app of running.splice(0)) {
    app.server.closeAllConnections()
    await app.close()
  }
})

function setUp(environment: Record<string, string> = {}, { requestShare = 1, sendsAway = (): boolean => false } = {}) {
  const lines: Record<string, unknown>[] = []
  const metrics = createMetrics({ process: false })
  const app = createHttpServer({
    limits: readConfiguration({ http: httpOptions }, { environment }).http,
    logger: createLogger({
      level: 'info',
      stream: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    }),
    clock: systemClock,
    ids: createRandomIds(),
    metrics,
    requestShare,
    sendsAway,
  })
  app.get('/hello/:name', { config: { service: 'test' } }, (request, reply) => {
    request.state.role = 'anon'
    endRequestStage(request, 'think')
    return reply.send({ hello: (request.params as { name: string }).name })
  })
  app.post('/echo', (request, reply) => reply.send(request.body))
  app.get('/refuse', () => {
    throw new Refusal('test.teapot', 418, 'short and stout', { facts: { spout: 1 }, headers: { 'retry-after': '7' } })
  })
  app.get('/fault', () => {
    throw new Error('the password is hunter2')
  })
  running.push(app)
  return { app, lines, metrics }
}

/** Sends bytes over a real socket and gives all that comes back until the server closes it. */
async function talk(app: FastifyInstance, bytes: string): Promise<string> {
  return readAll(await dial(app), bytes)
}

async function dial(app: FastifyInstance): Promise<Socket> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return socket
}

function readAll(socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    socket.write(bytes)
  })
}

const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}connection: close\r\n\r\n`
const codeIn = (answer: string): string => `${answer.slice(9, 12)} ${/"code":"([^"]*)"/.exec(answer)?.[1]}`

describe('a request', () => {
  it('gets an id, a Server-Timing with its stages, a log line and a sample', async () => {
    const { app, lines, metrics } = setUp()
    const answer = await app.inject({ url: '/hello/world?secret=1' })
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f]{32}$/)
    expect(answer.headers['server-timing']).toMatch(/^think;dur=[\d.e-]+, total;dur=[\d.e-]+$/)
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        msg: 'request',
        service: 'test',
        route: '/hello/:name',
        method: 'GET',
        path: '/hello/world',
        status: 200,
        ms: expect.any(Number),
        id: answer.headers['x-request-id'],
        trace: answer.headers['x-request-id'],
        bytes: 17,
        role: 'anon',
        stages: { think: expect.any(Number) },
      },
    ])
    expect(await metrics.render()).toContain(
      'http_request_duration_seconds_count{service="test",route="/hello/:name",method="GET",status="2xx"} 1',
    )
  })

  it('keeps a sane request id and trace of its caller, and no other', async () => {
    const { app, lines } = setUp()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const kept = await app.inject({ url: '/hello/a', headers: { 'x-request-id': 'abc-123', traceparent } })
    expect(kept.headers['x-request-id']).toBe('abc-123')
    expect(lines[0]).toMatchObject({ id: 'abc-123', trace: '4bf92f3577b34da6a3ce929d0e0e4736' })
    for (const id of ['has space', '"},{"x', 'x'.repeat(129), ''])
      expect((await app.inject({ url: '/hello/a', headers: { 'x-request-id': id } })).headers['x-request-id']).toMatch(
        /^[\da-f]{32}$/,
      )
  })

  it('has a deadline that the hop before may shorten and never lengthen', async () => {
    const { app } = setUp({ PANDO_HTTP_REQUEST_TIMEOUT: '10s' })
    app.get('/left', (request) => ({ ms: remainingMs(request.state.deadline) }))
    const left = async (header: string): Promise<number> =>
      (await app.inject({ url: '/left', headers: { 'x-pando-timeout-ms': header } })).json<{ ms: number }>().ms
    expect(await left('500')).toBeLessThanOrEqual(500)
    expect(await left('99999999')).toBeLessThanOrEqual(10_000)
    expect(await left('-1')).toBeGreaterThan(500)
  })

  it('is sampled for the log, but never when it failed', async () => {
    const { app, lines } = setUp({}, { requestShare: 0.25 })
    for (let count = 0; count < 8; count += 1) await app.inject({ url: '/hello/a' })
    expect(lines).toHaveLength(2)
    await app.inject({ url: '/fault' })
    expect(lines.filter(({ status }) => status === 500)).toHaveLength(1)
  })

  it('shows its credentials by header or query', async () => {
    const { app } = setUp()
    app.get('/who', (request) => credentialsOf(request.raw))
    expect((await app.inject({ url: '/who?apikey=a%20b&x=1' })).json()).toEqual({ apikey: 'a b' })
    expect(
      (await app.inject({ url: '/who?apikey=q', headers: { apikey: 'h', authorization: 'Bearer t' } })).json(),
    ).toEqual({
      apikey: 'h',
      authorization: 'Bearer t',
    })
    expect((await app.inject({ url: '/who' })).json()).toEqual({})
  })
})

describe('errors are problem documents', () => {
  it.each([
    ['GET', '/refuse', 418, 'test.teapot'],
    ['GET', '/nowhere', 404, 'http.not_found'],
    ['POST', '/refuse', 405, 'http.method_not_allowed'],
    ['GET', '/a//b', 400, 'http.ambiguous_path'],
    ['GET', '/%zz', 400, 'http.malformed_url'],
    ['GET', `/hello/${'x'.repeat(300)}`, 414, 'http.url_too_long'],
  ] as const)('%s %s', async (method, url, status, code) => {
    const { app } = setUp({ PANDO_HTTP_URL_BYTES_MAX: '256' })
    const answer = await app.inject({ method, url })
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toMatchObject({ type: 'about:blank', status, code, title: expect.any(String) })
  })

  it('with the facts and headers of the refusal', async () => {
    const { app } = setUp()
    const refused = await app.inject({ url: '/refuse' })
    expect(refused.json()).toMatchObject({
      detail: 'short and stout',
      spout: 1,
      requestId: refused.headers['x-request-id'],
    })
    expect(refused.headers['retry-after']).toBe('7')
    expect((await app.inject({ method: 'POST', url: '/refuse' })).headers.allow).toBe('GET, HEAD')
  })

  it('without the inner text of a fault, which is in the log under the request id', async () => {
    const { app, lines } = setUp()
    const answer = await app.inject({ url: '/fault' })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('hunter2')
    expect(answer.body).not.toContain('.ts')
    const { requestId } = answer.json<{ requestId: string }>()
    expect(lines[0]).toMatchObject({ level: 'error', id: requestId, err: { message: 'the password is hunter2' } })
  })

  it.each([
    ['application/json', '{"a":', 400, 'http.malformed_body'],
    ['application/json', '{"__proto__":{"x":1}}', 400, 'http.malformed_body'],
    ['application/json', '', 400, 'http.malformed_body'],
    ['image/png', 'x', 415, 'http.unsupported_media_type'],
    ['application/json', `"${'x'.repeat(2000)}"`, 413, 'http.body_too_large'],
  ])('a body of %s: %s', async (contentType, payload, status, code) => {
    const { app } = setUp({ PANDO_HTTP_BODY_BYTES_MAX: '1kb' })
    const answer = await app.inject({ method: 'POST', url: '/echo', payload, headers: { 'content-type': contentType } })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code])
  })
})

it('leaves schemas to services: a route that has one for the framework is refused at start', async () => {
  const { app } = setUp()
  app.get('/described', { schema: { response: { 200: { type: 'string' } } } }, () => 'text')
  await expect(app.ready()).rejects.toThrow('has a schema for the framework')
})

describe('on the socket', () => {
  it('malformed HTTP is answered, whatever it is, and the server lives', async () => {
    const { app } = setUp({ PANDO_HTTP_HEADERS_TIMEOUT: '100ms' })
    const alphabet = fc.constantFrom(...'GET / HTTP/1.1\r\n:;hostx\u0000\u00ff{}[]"%')
    await fc.assert(
      fc.asyncProperty(fc.array(alphabet, { maxLength: 60 }), async (letters) => {
        expect(await talk(app, `${letters.join('')}\r\n\r\n`)).toMatch(/^$|^HTTP\/1\.1 [1-4]\d\d/)
      }),
      { numRuns: 60 },
    )
    expect(await talk(app, get('/hello/still'))).toContain('200 OK')
  })

  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400 http.malformed_request'],
    ['a line feed in a header', 'GET / HTTP/1.1\r\nhost: x\r\nbad\nx\r\n\r\n', '400 http.malformed_request'],
    [
      'two lengths',
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      '400 http.malformed_request',
    ],
    [
      'a length and chunks',
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 http.malformed_request',
    ],
    ['too large headers', get('/', `a: ${'x'.repeat(90_000)}\r\n`), '431 http.headers_too_large'],
    ['too many headers', get('/hello/a', 'a: b\r\n'.repeat(101)), '431 http.too_many_headers'],
    ['far too many headers', get('/hello/a', 'a: b\r\n'.repeat(5000)), '431 http.too_many_headers'],
    ['dot segments', get('/hello/../echo'), '400 http.ambiguous_path'],
  ])('%s', async (_name, bytes, expected) => {
    const { app } = setUp()
    expect(codeIn(await talk(app, bytes))).toBe(expected)
  })

  it.each([
    ['headers that stop', 'GET / HTTP/1.1\r\nhost:', '408 http.request_timeout'],
    [
      'a body that stops',
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\nabc',
      '408 http.request_timeout',
    ],
    ['a sender that says nothing', '', '408 http.request_timeout'],
  ])('%s: the socket is not held', async (_name, bytes, expected) => {
    const { app } = setUp({ PANDO_HTTP_HEADERS_TIMEOUT: '200ms', PANDO_HTTP_RECEIVE_TIMEOUT: '300ms' })
    expect(codeIn(await talk(app, bytes))).toBe(expected)
  })

  it('a drip of header bytes does not extend the time', async () => {
    const { app } = setUp({ PANDO_HTTP_HEADERS_TIMEOUT: '300ms' })
    const socket = await dial(app)
    const drip = setInterval(() => void socket.write('x'), 20)
    expect(codeIn(await readAll(socket, 'GET / HTTP/1.1\r\nhost: '))).toBe('408 http.request_timeout')
    clearInterval(drip)
  })

  it('those who say nothing are not sent away all at once, and who has been served may rest', async () => {
    const { app } = setUp({ PANDO_HTTP_HEADERS_TIMEOUT: '4s' })
    const served = await dial(app)
    served.write('GET /hello/first HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(served, 'data')
    const silent: Socket[] = []
    while (silent.length < 31) silent.push(await dial(app))
    let closed = 0
    const ended = silent.map((socket) => readAll(socket, '').then(() => (closed += 1)))
    await Promise.race(ended)
    await sleep(200)
    expect(closed).toBeLessThan(silent.length)
    await Promise.all(ended)
    expect(await readAll(served, get('/hello/second'))).toContain('"hello":"second"')
  })

  it('a socket on which nothing moves is closed, inside a request and between two', async () => {
    const { app } = setUp({ PANDO_HTTP_IDLE_TIMEOUT: '200ms', PANDO_HTTP_KEEP_ALIVE_TIMEOUT: '100ms' })
    let gone = 0
    app.get('/silent', (_request, reply) => void onClientGone(reply, () => (gone += 1)))
    expect(await talk(app, 'GET /silent HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('')
    await expect.poll(() => gone).toBe(1)
    expect(await talk(app, 'GET /hello/x HTTP/1.1\r\nhost: x\r\n\r\n')).toContain('200 OK')
  })

  it('pipelined requests are answered in order', async () => {
    const { app } = setUp()
    const first = 'GET /hello/one HTTP/1.1\r\nhost: x\r\n\r\n'
    const answer = await talk(app, first + first.replace('one', 'two') + get('/hello/three'))
    expect(answer.match(/"hello":"\w+"/g)).toEqual(['"hello":"one"', '"hello":"two"', '"hello":"three"'])
  })

  it('one connection more than the limit is told so, and a place that is free again is given', async () => {
    const { app, metrics } = setUp({ PANDO_HTTP_CONNECTIONS_MAX: '2' })
    const held = [await dial(app), await dial(app)]
    await new Promise((resolve) => setTimeout(resolve, 20))
    const refused = await talk(app, get('/hello/x'))
    expect(codeIn(refused)).toBe('503 http.too_many_connections')
    expect(refused).toContain('retry-after: 1')
    expect(await metrics.render()).toContain('http_sockets_refused_total{code="http.too_many_connections"} 1')
    held[0]!.destroy()
    await expect.poll(() => metrics.render()).toContain('http_sockets_open 1')
    expect(await talk(app, get('/hello/x'))).toContain('200 OK')
    held[1]!.destroy()
  })

  it('one network has no more connections than it may, a proxy and this machine have', async () => {
    const { app } = setUp({ PANDO_HTTP_CONNECTIONS_PER_ADDRESS_MAX: '1', PANDO_HTTP_TRUST_PROXY: '198.51.100.0/24' })
    const addresses: string[] = []
    app.server.prependListener('connection', (socket) => {
      const value = addresses.shift()
      if (value !== undefined) Object.defineProperty(socket, 'remoteAddress', { value })
    })
    const held: Socket[] = []
    const askFrom = async (address: string): Promise<string> => {
      addresses.push(address)
      const socket = await dial(app)
      held.push(socket)
      socket.write('GET /hello/x HTTP/1.1\r\nhost: x\r\n\r\n')
      return new Promise((resolve) => socket.once('data', (bytes) => resolve(String(bytes).slice(9, 12))))
    }
    expect(await askFrom('2001:db8::1')).toBe('200')
    expect(await askFrom('2001:db8::2')).toBe('503')
    expect(await askFrom('2001:db8:0:1::1')).toBe('200')
    for (const address of ['198.51.100.7', '198.51.100.7', '127.0.0.1', '127.0.0.1'])
      expect(await askFrom(address)).toBe('200')
    held[0]!.destroy()
    await expect.poll(() => askFrom('2001:db8::3')).toBe('200')
    held.forEach((socket) => socket.destroy())
  })

  it('a client that hangs up is noticed, one that has its answer is not', async () => {
    const { app, lines } = setUp()
    let gone = 0
    app.get('/slow', (_request, reply) => void onClientGone(reply, () => (gone += 1)))
    app.get('/quick', (_request, reply) => {
      onClientGone(reply, () => (gone += 10))
      return reply.send('ok')
    })
    await talk(app, get('/quick'))
    const socket = await dial(app)
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await expect.poll(() => gone).toBe(1)
    await expect.poll(() => lines.filter((line) => line.gone === true).length).toBe(1)
  })

  it('an answer while draining asks the client to go elsewhere', async () => {
    const { app } = setUp({}, { sendsAway: () => true })
    const answer = await talk(app, 'GET /hello/x HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(answer.toLowerCase()).toContain('connection: close')
  })
})

describe('paths', () => {
  it.each([
    '//rest/v1',
    '/rest/v1//x',
    '/./x',
    '/../x',
    '/x/..',
    '/%2e%2E/x',
    '/.%2e',
    '/x%5cy',
    '/x\\y',
    '/%00',
    '/a/%2e%2fb',
    'x',
  ])('%s is ambiguous', (path) => expect(isAmbiguousPath(path)).toBe(true))
  it.each(['/', '/rest/v1/', '/auth/v1/.well-known/jwks.json', '/a/...', '/a/b.c', '/a%2fb', '/%F0%9F%8C%B3'])(
    '%s is not',
    (path) => expect(isAmbiguousPath(path)).toBe(false),
  )
})

describe('operations', () => {
  it('say live, ready with the reason when not, and show metrics where allowed', async () => {
    const { app, metrics } = setUp()
    let isUp = false
    const rest = () => (isUp ? { ready: true as const } : { ready: false as const, reason: 'no database' })
    app.register(createOperations({ readiness: { rest }, metrics, metricsShown: true }))
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'live' })
    const before = await app.inject('/health/ready')
    expect([before.statusCode, before.json()]).toEqual([
      503,
      { status: 'not ready', parts: { rest: { ready: false, reason: 'no database' } } },
    ])
    isUp = true
    expect((await app.inject('/health/ready')).statusCode).toBe(200)
    expect((await app.inject('/metrics')).body).toContain('http_request_duration_seconds_bucket')
  })
})
