import { once } from 'node:events'
import { createServer, type IncomingMessage, request as requestHttp } from 'node:http'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { endAll, endings, keys, setUpGateway } from './testing/set-up-gateway.ts'

afterEach(endAll)

type OnConnection = (socket: WebSocket, request: IncomingMessage) => void

/** A service on another node that answers with what it hears. */
const echo: OnConnection = (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))

async function listen(onConnection: OnConnection, options: ServerOptions = {}): Promise<string> {
  const upstream = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true, ...options })
  upstream.on('connection', (socket, request) => {
    socket.on('error', () => undefined)
    onConnection(socket, request)
  })
  await once(upstream, 'listening')
  endings.push(async () => {
    for (const socket of upstream.clients) socket.terminate()
    upstream.close()
  })
  return `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
}

/** A gateway in front of `origin`; the URL is that of its WebSockets. */
async function setUp(origin: string, environment: Record<string, string> = {}) {
  const { app, metrics, drain } = setUpGateway({ PANDO_GATEWAY_UPSTREAMS: `realtime=${origin}`, ...environment })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const open = async (): Promise<number> =>
    Number(/gateway_websockets_open (\d+)/.exec(await metrics.render())?.[1] ?? Number.NaN)
  return { app, metrics, drain, open, http: url, url: `${url.replace('http', 'ws')}/realtime/v1/websocket` }
}

function dial(url: string, options: ClientOptions = {}, protocols: string[] = []): WebSocket {
  const socket = new WebSocket(url, protocols, options)
  socket.on('error', () => undefined)
  endings.push(async () => socket.terminate())
  return socket
}
const connect = async (...args: Parameters<typeof dial>): Promise<WebSocket> => {
  const socket = dial(...args)
  await once(socket, 'open')
  return socket
}
const message = async (socket: WebSocket): Promise<[Buffer, boolean]> =>
  (await once(socket, 'message')) as [Buffer, boolean]
const closeCode = async (socket: WebSocket): Promise<number> => ((await once(socket, 'close')) as [number])[0]

/** The answer to a handshake that did not end in a WebSocket. */
async function refusal(
  ...args: Parameters<typeof dial>
): Promise<{ status: number; body: string; answer: IncomingMessage }> {
  const [, answer] = (await once(dial(...args), 'unexpected-response')) as [unknown, IncomingMessage]
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  return { status: answer.statusCode!, body, answer }
}

describe('a WebSocket to a service on another node', () => {
  it('carries text and bytes both ways, also much at once', async () => {
    const { url } = await setUp(await listen(echo))
    const socket = await connect(url)
    for (const [data, isBinary] of [
      ['hello', false],
      [Buffer.from([0, 1, 255]), true],
      ['x'.repeat(3_000_000), false],
    ] as const) {
      socket.send(data)
      const [heard, wasBinary] = await message(socket)
      expect([heard.equals(Buffer.from(data)), wasBinary]).toEqual([true, isBinary])
    }
  })

  it('tells the service who is in front, and keeps what both agree on', async () => {
    let seen: IncomingMessage | undefined
    const { url } = await setUp(await listen((_socket, request) => (seen = request)))
    const headers = { 'x-forwarded-for': '6.6.6.6', 'x-request-id': 'r-1', cookie: 'a=1' }
    const socket = dial(`${url}?vsn=2.0.0&x=%2F`, { headers }, ['phoenix', 'other'])
    const [[answer]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [[IncomingMessage], []]
    expect(socket.protocol).toBe('phoenix')
    expect(socket.extensions).toContain('permessage-deflate')
    expect(answer.headers).toMatchObject({ 'x-request-id': 'r-1', connection: 'Upgrade', upgrade: 'websocket' })
    expect(seen?.url).toBe('/realtime/v1/websocket?vsn=2.0.0&x=%2F')
    expect(seen?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(url).host,
      'x-request-id': 'r-1',
      'sec-websocket-protocol': 'phoenix,other',
      traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
      cookie: 'a=1',
    })
  })

  it('loses nothing that a client sends too early', async () => {
    let admit: () => void = () => undefined
    const asked = Promise.withResolvers<void>()
    const verifyClient = (_info: object, answer: (isWelcome: boolean) => void): void => {
      admit = () => answer(true)
      asked.resolve()
    }
    const { url } = await setUp(await listen(echo, { verifyClient }))
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1')
    endings.push(async () => socket.destroy())
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    // Frames of one letter, masked with zeros (RFC 6455 §5.2).
    const frame = (letter: string): string => `\x81\x81\0\0\0\0${letter}`
    const heard = '\x81\x01a\x81\x01b'
    const head = ['GET /realtime/v1/websocket HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket']
    const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', '']
    socket.write([...head, ...key].join('\r\n') + frame('a'), 'latin1')
    await asked.promise
    socket.write(frame('b'), 'latin1', () => setTimeout(admit, 50))
    await expect.poll(() => answer.split('\r\n\r\n')).toEqual([expect.stringMatching(/^HTTP\/1.1 101 /), heard])
  })

  it('passes on how either side ends it', async () => {
    const codes: Promise<number>[] = []
    const origin = await listen((socket) => {
      codes.push(closeCode(socket))
      socket.on('message', () => socket.close(4001, 'enough'))
    })
    const { url, open } = await setUp(origin)
    const left = await connect(url)
    left.close(4000)
    expect([await closeCode(left), await codes[0]]).toEqual([4000, 4000])
    const sent = await connect(url)
    sent.send('end')
    expect(await closeCode(sent)).toBe(4001)
    await expect.poll(open).toBe(0)
  })

  it('breaks when the other side breaks', async () => {
    const sockets: WebSocket[] = []
    const { url, open } = await setUp(await listen((socket) => void sockets.push(socket)))
    const [one, two] = [await connect(url), await connect(url)]
    expect(await open()).toBe(2)
    sockets[0]!.terminate()
    expect(await closeCode(one)).toBe(1006)
    two.terminate()
    expect(await closeCode(sockets[1]!)).toBe(1006)
    await expect.poll(open).toBe(0)
  })

  it('needs a key where one is required, in the header or the address', async () => {
    const { url } = await setUp(await listen(echo), { PANDO_GATEWAY_API_KEY_REQUIRED: 'true' })
    expect(await refusal(url)).toMatchObject({ status: 401, body: '{"message":"No API key found in request"}' })
    expect(await refusal(`${url}?apikey=wrong`)).toMatchObject({ status: 401 })
    await connect(`${url}?apikey=${keys.anonKey}&vsn=1.0.0`)
    await connect(url, { headers: { apikey: keys.publishableKey } })
  })

  it('gets the answer of a service that does not want one', async () => {
    const server = createServer()
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nx-why: banned\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endings.push(async () => void server.close())
    const { url, open } = await setUp(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const { status, body, answer } = await refusal(url)
    expect([status, body, answer.headers['x-why'], answer.headers.connection]).toEqual([403, 'nope', 'banned', 'close'])
    expect(await open()).toBe(0)
  })

  it('is told to come back one after the other when the node drains, and new ones at once', async () => {
    const { url, drain, open } = await setUp(await listen(echo))
    const sockets = [await connect(url), await connect(url), await connect(url)]
    const closed = sockets.map(closeCode)
    const drained = drain(900)
    expect((await refusal(url)).status).toBe(503)
    await Promise.race(closed)
    expect(await open()).toBeGreaterThan(0)
    await drained
    expect(await Promise.all(closed)).toEqual([1012, 1012, 1012])
    await expect.poll(open).toBe(0)
  })

  it('gets the whole of the frame that is under way when the node drains', async () => {
    // A service that sends a frame of 300,000 bytes, the second half of it only when it is told to.
    const frame = Buffer.alloc(300_010, 'x')
    Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 4, 0x93, 0xe0]).copy(frame)
    const rest = Promise.withResolvers<void>()
    const origin = await listen((socket, request) => {
      request.socket.write(frame.subarray(0, 150_000))
      void rest.promise.then(() => request.socket.write(frame.subarray(150_000)))
      socket.on('message', () => undefined)
    })
    const { url, drain } = await setUp(origin)
    const socket = dial(url)
    const [[{ socket: raw }]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
      [IncomingMessage],
      [],
    ]
    await expect.poll(() => raw.bytesRead).toBeGreaterThan(150_000)
    const [code, heard] = [closeCode(socket), message(socket)]
    await drain(0)
    rest.resolve()
    expect((await heard)[0]).toHaveLength(300_000)
    expect(await code).toBe(1012)
  })

  it('goes to another node when nobody listens at the first', async () => {
    const { url } = await setUp(`http://127.0.0.1:1,realtime=${await listen(echo)}`)
    for (let count = 0; count < 5; count += 1) {
      const socket = await connect(url)
      socket.send('hello')
      expect(String((await message(socket))[0])).toBe('hello')
    }
  })

  it('is 503 when nobody listens, and 504 when nobody answers', async () => {
    const { url } = await setUp('http://127.0.0.1:1')
    const { status, body } = await refusal(url)
    expect([status, JSON.parse(body)]).toMatchObject([
      503,
      { code: 'gateway.upstream_unreachable', service: 'realtime' },
    ])
    const silent = createServer().on('upgrade', () => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const late = await setUp(origin, { PANDO_HTTP_REQUEST_TIMEOUT: '150ms' })
    expect(await refusal(late.url)).toMatchObject({
      status: 504,
      body: expect.stringContaining('gateway.upstream_timeout'),
    })
    expect(await late.open()).toBe(0)
    silent.close()
  })

  it('is refused past the limit, until another one ends', async () => {
    const { url, open } = await setUp(await listen(echo), { PANDO_GATEWAY_WEBSOCKETS_MAX: '1' })
    const first = await connect(url)
    const { status, body, answer } = await refusal(url)
    expect([status, JSON.parse(body)]).toMatchObject([503, { code: 'gateway.too_many_websockets', websocketsMax: 1 }])
    expect(answer.headers['retry-after']).toBe('1')
    first.close()
    await expect.poll(open).toBe(0)
    await connect(url)
  })

  it('keeps the limits of every request', async () => {
    const { url } = await setUp(await listen(echo), { PANDO_HTTP_URL_BYTES_MAX: '256', PANDO_HTTP_HEADERS_MAX: '16' })
    expect(await refusal(`${url}?${'x'.repeat(300)}`)).toMatchObject({ status: 414 })
    expect(await refusal(`${url}/a//b`)).toMatchObject({ status: 400, body: expect.stringContaining('ambiguous_path') })
    const headers = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}`, '1']))
    expect(await refusal(url, { headers })).toMatchObject({ status: 431 })
  })

  it('is closed when nothing moves, and stays open while something does in either direction', async () => {
    const idle = { PANDO_GATEWAY_WEBSOCKET_IDLE_TIMEOUT: '1s' }
    const origin = await listen((socket, { url }) => {
      if (!url!.endsWith('?talks')) return
      const timer = setInterval(() => socket.send('still here'), 100)
      socket.on('close', () => clearInterval(timer))
    })
    const { url } = await setUp(origin, idle)
    const [silent, talking] = [await connect(url), await connect(`${url}?talks`)]
    expect(await closeCode(silent)).toBe(1006)
    for (let heard = 0; heard < 15; heard += 1) await message(talking)
    expect(talking.readyState).toBe(WebSocket.OPEN)
  })

  it('slows down a service that sends faster than the client reads', async () => {
    const chunk = Buffer.alloc(1024 ** 2)
    let upstream: WebSocket | undefined
    const { url } = await setUp(await listen((socket) => (upstream = socket)))
    const socket = await connect(url, { perMessageDeflate: false })
    socket.pause()
    for (let sent = 0; sent < 64; sent += 1) upstream!.send(chunk)
    await expect.poll(() => upstream!.bufferedAmount).toBeGreaterThan(32 * chunk.length)
    let heard = 0
    socket.on('message', (data: Buffer) => (heard += data.length))
    socket.resume()
    await expect.poll(() => heard, { timeout: 10_000 }).toBe(64 * chunk.length)
  })

  it('ends with the node, which does not wait for it', async () => {
    const atService: Promise<number>[] = []
    const { url, app, open } = await setUp(await listen((socket) => void atService.push(closeCode(socket))))
    const sockets = [await connect(url), await connect(url)]
    const codes = sockets.map(closeCode)
    await app.close()
    expect(await Promise.all(codes)).toEqual([1012, 1012])
    expect(await Promise.all(atService)).toEqual([1001, 1001])
    await expect.poll(open).toBe(0)
  })

  it('that is still being opened is refused when the node ends', async () => {
    const silent = createServer()
    const arrived = once(silent, 'upgrade')
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    endings.push(async () => void silent.close())
    const { url, app } = await setUp(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)
    const answer = refusal(url)
    await arrived
    await app.close()
    expect(await answer).toMatchObject({ status: 503, body: expect.stringContaining('gateway.ending') })
  })

  it('that its client gives up on is given up at the service', async () => {
    const silent = createServer()
    const arrived = once(silent, 'upgrade')
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    endings.push(async () => void silent.close())
    const { url, open } = await setUp(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)
    const socket = dial(url)
    const [, upstream] = (await arrived) as [IncomingMessage, Socket]
    expect(await open()).toBe(1)
    socket.terminate()
    await once(upstream.resume(), 'end')
    upstream.destroy()
    await expect.poll(open).toBe(0)
  })

  it('is counted as a request and as an open socket', async () => {
    const { url, metrics } = await setUp(await listen(echo))
    await connect(url)
    expect(await metrics.render()).toContain('{service="realtime",route="proxy",method="GET",status="1xx"} 1')
  })
})

describe('the header Upgrade', () => {
  const get = async (url: string, headers: Record<string, string>): Promise<number> => {
    const sent = requestHttp(url, { headers: { connection: 'Upgrade', ...headers } }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.resume()
    return answer.statusCode!
  }

  it.each(['h2c', 'websocket'])('%s means nothing where there is no WebSocket', async (upgrade) => {
    const { http } = await setUp(await listen(echo))
    expect(await get(`${http}/rest/v1/small`, { upgrade })).toBe(200)
    expect(await get(`${http}/auth/v1/x`, { upgrade })).toBe(501)
  })

  it('h2c is not passed on', async () => {
    const server = createServer((request, response) => response.end(String(request.headers.upgrade)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endings.push(async () => void server.close())
    const { http } = await setUp(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await get(`${http}/realtime/v1/x`, { upgrade: 'h2c' })).toBe(200)
  })
})
