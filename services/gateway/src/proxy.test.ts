import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, endings, setUpGateway } from './testing/set-up-gateway.ts'

afterEach(endAll)

describe('a service on another node', () => {
  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endings.push(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function setUpProxy(listener: RequestListener, environment: Record<string, string> = {}): Promise<string> {
    const origin = await listen(listener)
    const { app } = setUpGateway({ PANDO_GATEWAY_UPSTREAMS: `auth=${origin}`, ...environment })
    return app.listen({ port: 0, host: '127.0.0.1' })
  }

  const read = async (request: IncomingMessage): Promise<string> => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    return text
  }

  it('gets the request as it came, and who is in front, without headers of the connection', async () => {
    const url = await setUpProxy(async (request, response) => {
      const body = await read(request)
      response.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'], connection: 'x-drop', 'x-drop': '1' })
      response.end(JSON.stringify({ method: request.method, url: request.url, body, headers: request.headers }))
    })
    const answer = await fetch(`${url}/auth/v1/token?grant_type=password&x=%2F`, {
      method: 'POST',
      body: '{"a":1}',
      headers: {
        authorization: 'Bearer t',
        'x-forwarded-for': '6.6.6.6',
        'x-request-id': 'r-1',
        'content-type': 'application/json',
      },
    })
    const seen = (await answer.json()) as { method: string; url: string; body: string; headers: Record<string, string> }
    expect(answer.status).toBe(201)
    expect([answer.headers.get('x-answer'), answer.headers.get('x-drop'), answer.headers.getSetCookie()]).toEqual([
      'yes',
      null,
      ['a=1', 'b=2'],
    ])
    expect(seen).toMatchObject({ method: 'POST', url: '/auth/v1/token?grant_type=password&x=%2F', body: '{"a":1}' })
    expect(seen.headers).toMatchObject({
      authorization: 'Bearer t',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(url).host,
      'x-request-id': 'r-1',
      traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
    })
    expect(Number(seen.headers['x-pando-timeout-ms'])).toBeGreaterThan(0)
  })

  it.each([
    [{}, '127.0.0.1'],
    [{ PANDO_HTTP_TRUST_PROXY: '1' }, '203.0.113.7, 127.0.0.1'],
    [{ PANDO_HTTP_TRUST_PROXY: '10.0.0.0/8' }, '127.0.0.1'],
    [{ PANDO_HTTP_TRUST_PROXY: 'loopback' }, '203.0.113.7, 127.0.0.1'],
    [{ PANDO_HTTP_TRUST_PROXY: 'true' }, '6.6.6.6, 203.0.113.7, 127.0.0.1'],
  ])('hears of hops that are believed and of no others, with %j', async (environment, heard) => {
    const url = await setUpProxy(
      (request, response) => void response.end(request.headers['x-forwarded-for']),
      environment,
    )
    const answer = await fetch(`${url}/auth/v1/token`, { headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' } })
    expect(await answer.text()).toBe(heard)
  })

  it('streams both ways: bytes arrive before the other side has ended', async () => {
    const url = await setUpProxy((request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      request.on('data', (chunk) => response.write(`<${String(chunk)}>`))
      request.on('end', () => response.end())
    })
    let push: (chunk: string) => void = () => undefined
    let end: () => void = () => undefined
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        push = (chunk) => controller.enqueue(Buffer.from(chunk))
        end = () => controller.close()
      },
    })
    push('one')
    const answer = await fetch(`${url}/auth/v1/x`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    const reader = answer.body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('<one>')
    push('two')
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('<two>')
    end()
    expect((await reader.read()).done).toBe(true)
  })

  it('is aborted when the client hangs up', async () => {
    let aborted = 0
    let arrived: () => void = () => undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const url = await setUpProxy((request, response) => {
      response.on('close', () => (aborted += response.writableFinished ? 0 : 1))
      arrived()
      request.resume()
    })
    const controller = new AbortController()
    const pending = fetch(`${url}/auth/v1/x`, { signal: controller.signal }).catch(() => 'hung up')
    await arrival
    controller.abort()
    expect(await pending).toBe('hung up')
    await expect.poll(() => aborted).toBe(1)
  })

  it('is 504 when it does not answer in time, and is aborted too', async () => {
    let aborted = 0
    const url = await setUpProxy((_request, response) => void response.on('close', () => (aborted += 1)), {
      PANDO_HTTP_REQUEST_TIMEOUT: '150ms',
    })
    const answer = await fetch(`${url}/auth/v1/x`)
    expect([answer.status, await answer.json()]).toMatchObject([
      504,
      { code: 'gateway.upstream_timeout', service: 'auth' },
    ])
    await expect.poll(() => aborted).toBe(1)
  })

  it('is 503 when nobody listens, and 502 when the socket breaks before the answer', async () => {
    const broken = await setUpProxy((request) => void request.socket.destroy())
    expect((await fetch(`${broken}/auth/v1/x`)).status).toBe(502)
    const { app } = setUpGateway({ PANDO_GATEWAY_UPSTREAMS: 'auth=http://127.0.0.1:1' })
    const answer = await app.inject('/auth/v1/x')
    expect([answer.json(), answer.headers['retry-after']]).toMatchObject([
      { status: 503, code: 'gateway.upstream_unreachable' },
      '1',
    ])
  })

  it('that breaks in the middle breaks the answer: no half is passed off as a whole', async () => {
    const url = await setUpProxy((request, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write('half', () => request.socket.destroy())
    })
    const answer = await fetch(`${url}/auth/v1/x`)
    await expect(answer.text()).rejects.toThrow('terminated')
  })

  it('gets no body over the limit', async () => {
    const url = await setUpProxy((_request, response) => void response.end('reached'), {
      PANDO_HTTP_BODY_BYTES_MAX: '1kb',
    })
    const answer = await fetch(`${url}/auth/v1/x`, { method: 'POST', body: 'x'.repeat(2000) })
    expect(answer.status).toBe(413)
  })

  it.each([
    ['auth', 'auth is not name=http://host:port'],
    ['auth=ftp://x', 'auth=ftp://x is not name=http://host:port'],
    ['nobody=http://x:1', 'there is no service nobody'],
    ['auth=http://x:1,auth=http://x:1', 'auth=http://x:1 stands there twice'],
  ])('is configured with care: %s', (upstreams, message) => {
    expect(() => setUpGateway({ PANDO_GATEWAY_UPSTREAMS: upstreams })).toThrow(message)
  })
})
