import { endRequestStage } from '@pando/http/request-state'
import type { HttpService } from '@pando/http/service'
import { demoJwtSecret } from '@pando/http/auth/api-keys'
import { withoutState } from '@pando/core/service'
import { systemClock } from '@pando/core/clock'
import { createRandomIds } from '@pando/telemetry/trace'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { readServerConfig } from './config.ts'
import { startServer } from './start-server.ts'

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A span as OTLP has it in JSON, with plain attributes; times are nanoseconds. */
type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}
type Pair = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }
const plain = (pairs: readonly Pair[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endings.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A collector that speaks OTLP over HTTP, and keeps what it gets. */
async function startCollector() {
  const collector = { spans: [] as Span[], resource: {} as Record<string, unknown>, status: 200, posts: 0 }
  let last: { url?: string; headers: IncomingHttpHeaders } | undefined
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    last = request
    collector.posts += 1
    for (const { resource, scopeSpans } of collector.status === 200 ? JSON.parse(text).resourceSpans : []) {
      collector.resource = plain(resource.attributes)
      for (const { spans } of scopeSpans)
        for (const span of spans) collector.spans.push({ ...span, attributes: plain(span.attributes) })
    }
    response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}')
  })
  return { collector, url: await listen(server), last: () => last }
}

/** Answers at `/rest/v1`, with stages as the data API has them. */
const probe: HttpService = {
  ...withoutState,
  name: 'rest',
  prefix: '/rest/v1',
  ready: () => ({ ready: true }),
  plugin: (app, _options, done) => {
    app.get('/rows/:id', (request) => {
      for (const name of ['auth', 'parse', 'plan', 'transaction']) endRequestStage(request, name)
      request.state.role = 'authenticated'
      return {}
    })
    app.get('/fault', () => {
      throw new Error('a secret of ours')
    })
    app.get('/never', () => new Promise(() => undefined))
    done()
  },
}

async function setUp(environment: Record<string, string>) {
  const lines: { msg: string; trace?: string; id?: string }[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number])
  const world = {
    clock: systemClock,
    ids: createRandomIds(),
    output: { write, writeLater: write, close: () => undefined },
  }
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: demoJwtSecret,
      PANDO_SERVER_PORT: '0',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      ...environment,
    },
  })
  const server = await startServer(config, { services: { rest: () => probe } }, world)
  endings.push(() => server.stop())
  return { url: server.url, lines, stop: server.stop }
}

const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = (flags = '01'): string => `00-${parent.traceId}-${parent.spanId}-${flags}`

describe('traces', () => {
  it('have a server span a request with the parent of the caller, and a child for each stage', async () => {
    const { collector, url: endpoint, last } = await startCollector()
    const { url } = await setUp({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b,x-other=100%',
      OTEL_SERVICE_NAME: 'my-node',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    })
    const fromMs = Date.now()
    await fetch(`${url}/rest/v1/rows/7?secret=1`, { headers: { traceparent: traceparent(), 'x-request-id': 'r-1' } })
    await expect.poll(() => collector.spans.length).toBe(5)
    const server = collector.spans.find(({ kind }) => kind === 2)!
    expect(server).toMatchObject({
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
      name: 'GET /rest/v1/rows/:id',
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/rest/v1/rows/:id',
        'http.response.status_code': 200,
        'url.path': '/rest/v1/rows/7',
        'pando.service': 'rest',
        'pando.role': 'authenticated',
        'pando.request_id': 'r-1',
      },
    })
    expect(Number(server.startTimeUnixNano) / 1e6).toBeGreaterThan(fromMs - 50)
    const children = collector.spans.filter((span) => span !== server)
    expect(children.map(({ name }) => name)).toEqual(['auth', 'parse', 'plan', 'transaction'])
    for (const [index, child] of children.entries()) {
      expect(child).toMatchObject({ traceId: parent.traceId, parentSpanId: server.spanId })
      expect(child.startTimeUnixNano).toBe(children[index - 1]?.endTimeUnixNano ?? server.startTimeUnixNano)
    }
    expect(BigInt(server.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(children.at(-1)!.endTimeUnixNano))
    expect(JSON.stringify(collector.spans)).not.toContain('secret=1')
    expect(collector.resource).toMatchObject({ 'service.name': 'my-node', 'deployment.environment.name': 'test' })
    expect(last()).toMatchObject({ url: '/v1/traces', headers: { 'x-key': 'a b', 'x-other': '100%' } })
  })

  it('begin here without a caller that traces, under the id of the log line', async () => {
    const { collector, url: endpoint } = await startCollector()
    const { url, lines } = await setUp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/spans` })
    await fetch(`${url}/rest/v1/rows/7`)
    await expect.poll(() => collector.spans.length).toBe(5)
    const server = collector.spans.find(({ kind }) => kind === 2)!
    expect(server.parentSpanId ?? '').toBe('')
    expect(lines.find(({ msg }) => msg === 'request')?.trace).toBe(server.traceId)
  })

  it('tell of faults, unknown paths and clients that hang up, without inner text', async () => {
    const { collector, url: endpoint } = await startCollector()
    const { url } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    await fetch(`${url}/rest/v1/fault`)
    await fetch(`${url}/nowhere`)
    const abort = new AbortController()
    const gone = fetch(`${url}/rest/v1/never`, { signal: abort.signal }).catch(() => undefined)
    setTimeout(() => abort.abort(), 50)
    await gone
    await expect.poll(() => collector.spans.length).toBe(3)
    const summary = collector.spans.map(({ name, status, attributes }) => [
      name,
      status.code ?? 0,
      attributes['error.type'],
    ])
    expect(summary).toEqual([
      ['GET /rest/v1/fault', 2, '500'],
      ['GET', 0, undefined],
      ['GET /rest/v1/never', 0, 'client_gone'],
    ])
    expect(JSON.stringify(collector.spans)).not.toContain('a secret')
  })

  it('follow the decision of the caller, and tell it to the next hop with the span as parent', async () => {
    const { collector, url: endpoint } = await startCollector()
    const seen: (string | undefined)[] = []
    const origin = await listen(
      createServer((request, response) => {
        // The gateway also asks whether it is ready.
        if (request.url === '/auth/v1/x') seen.push(request.headers.traceparent?.toString())
        response.end()
      }),
    )
    const { url } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, PANDO_GATEWAY_UPSTREAMS: `auth=${origin}` })
    await fetch(`${url}/auth/v1/x`, { headers: { traceparent: traceparent('00') } })
    await fetch(`${url}/auth/v1/x`, { headers: { traceparent: traceparent('01') } })
    await fetch(`${url}/auth/v1/x`)
    await expect.poll(() => collector.spans.length).toBe(2)
    const [one, two] = collector.spans
    expect(seen).toEqual([
      expect.stringMatching(new RegExp(`^00-${parent.traceId}-[\\da-f]{16}-00$`)),
      `00-${parent.traceId}-${one!.spanId}-01`,
      `00-${two!.traceId}-${two!.spanId}-01`,
    ])
  })

  it.each([
    ['always_off', '1', 0],
    ['traceidratio', '0', 0],
    ['parentbased_traceidratio', '1', 1],
    ['parentbased_always_off', '1', 0],
  ])('are sampled as %s %s says', async (sampler, share, count) => {
    const { collector, url: endpoint } = await startCollector()
    const environment = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share }
    const { url, stop } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...environment })
    await fetch(`${url}/nowhere`)
    await stop()
    expect(collector.spans).toHaveLength(count)
  })

  it('that wait are sent when the node ends', async () => {
    const { collector, url: endpoint } = await startCollector()
    const { url, stop } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '60000' })
    await fetch(`${url}/nowhere`)
    expect(collector.spans).toHaveLength(0)
    await stop()
    expect(collector.spans).toHaveLength(1)
  })

  it('that nobody takes cost a log line, not a request', async () => {
    const { collector, url: endpoint } = await startCollector()
    collector.status = 400
    const { url, lines } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    const told = (): string[] => lines.map(({ msg }) => msg).filter((msg) => msg.includes('traces'))
    for (const posts of [1, 2]) {
      expect((await fetch(`${url}/rest/v1/rows/7`)).status).toBe(200)
      await expect.poll(() => collector.posts).toBe(posts)
    }
    collector.status = 200
    await fetch(`${url}/rest/v1/rows/7`)
    await expect.poll(told).toEqual(['traces cannot be exported; they are dropped', 'traces are exported again'])
  })
})
