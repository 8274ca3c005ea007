import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, createServer, request as requestHttp, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, endings, setUpGateway } from '../testing/set-up-gateway.ts'

afterEach(endAll)

/** A node that is ready while `isReady`, answers as told and counts what it got. */
async function startNode(answer: RequestListener = (_request, response) => void response.end('ok'), port = 0) {
  const node = { isReady: true, requests: 0, origin: '', stop: async () => undefined as unknown }
  const server = createServer((request, response) => {
    if (request.url === '/health/ready') return void response.writeHead(node.isReady ? 200 : 503).end()
    node.requests += 1
    answer(request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  node.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  node.stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  endings.push(node.stop)
  return node
}
type TestNode = Awaited<ReturnType<typeof startNode>>

const upstreams = (nodes: readonly { origin: string }[]): string =>
  nodes.map(({ origin }) => `auth=${origin}`).join(',')

async function setUp(nodes: readonly { origin: string }[], environment: Record<string, string> = {}) {
  const { app, metrics } = setUpGateway({
    PANDO_GATEWAY_UPSTREAMS: upstreams(nodes),
    PANDO_GATEWAY_UPSTREAM_PROBE_INTERVAL: '50ms',
    // Nothing is refused for load, nor is a node taken for silent: many tests share few cores.
    PANDO_GATEWAY_UPSTREAM_PROBE_TIMEOUT: '10s',
    PANDO_GATEWAY_UPSTREAM_REFRESH: '100ms',
    ...environment,
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/auth/v1/x`
  const shown = async (name: string): Promise<number> => {
    const line = (await metrics.render()).split('\n').find((each) => each.startsWith(name))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  const addresses = (state: string): Promise<number> =>
    shown(`gateway_upstream_addresses{upstream="auth",state="${state}"}`)
  return { url, shown, addresses }
}

const statusOf = async (url: string, init?: RequestInit): Promise<number> => {
  const answer = await fetch(url, init)
  await answer.arrayBuffer()
  return answer.status
}
const statuses = async (url: string, times: number, init?: RequestInit): Promise<number[]> => {
  const found: number[] = []
  for (let count = 0; count < times; count += 1) found.push(await statusOf(url, init))
  return found
}
const all = (times: number, status: number): number[] => Array.from({ length: times }, () => status)
const counts = (nodes: readonly TestNode[]): number[] => nodes.map(({ requests }) => requests)

describe('a service on several nodes', () => {
  it('is asked at each of them, and at those that have less to do', async () => {
    const waiting: (() => void)[] = []
    const nodes = [await startNode((_request, response) => void waiting.push(() => response.end())), await startNode()]
    const { url } = await setUp(nodes)
    const sent: Promise<number>[] = []
    await expect.poll(() => (sent.push(statusOf(url)), nodes[0]!.requests)).toBeGreaterThan(0)
    let settled = 0
    for (const each of sent) void each.then(() => (settled += 1))
    await expect.poll(() => settled + waiting.length).toBe(sent.length)
    // The first node is busy now and the second is not, so all others are answered by the second.
    const [slow, quick] = counts(nodes)
    expect(await statuses(url, 10)).toEqual(all(10, 200))
    expect(nodes[0]!.requests).toBe(slow)
    expect(nodes[1]!.requests).toBeGreaterThanOrEqual(quick! + 10)
    waiting.forEach((answer) => answer())
    expect(await Promise.all(sent)).toEqual(all(sent.length, 200))
  })

  it('is found by the name of its host', async () => {
    const node = await startNode()
    const { url, addresses } = await setUp([{ origin: node.origin.replace('127.0.0.1', 'localhost') }])
    expect(await statusOf(url)).toBe(200)
    expect(await addresses('up')).toBe(1)
    const { url: nowhere } = await setUp([{ origin: 'http://nowhere.invalid:1' }])
    expect(await statusOf(nowhere)).toBe(503)
  })

  it('gets no requests at a node that says that it is not ready, until it is', async () => {
    const nodes = [await startNode(), await startNode()]
    const { url, addresses } = await setUp(nodes)
    nodes[0]!.isReady = false
    await expect.poll(() => addresses('unready')).toBe(1)
    const before = nodes[0]!.requests
    expect(await statuses(url, 20)).toEqual(all(20, 200))
    expect(nodes[0]!.requests).toBe(before)
    nodes[0]!.isReady = true
    await expect.poll(() => addresses('up')).toBe(2)
    expect(await statuses(url, 40)).toEqual(all(40, 200))
    expect(nodes[0]!.requests).toBeGreaterThan(before)
  })

  it('is still asked when none is ready: an answer is better than none', async () => {
    const node = await startNode()
    const { url, addresses } = await setUp([node])
    node.isReady = false
    await expect.poll(() => addresses('unready')).toBe(1)
    expect(await statusOf(url)).toBe(200)
  })

  it('loses a node that fails for a while, the last one never', async () => {
    const nodes = [await startNode((_request, response) => void response.writeHead(500).end()), await startNode()]
    const { url, addresses } = await setUp(nodes, {
      PANDO_GATEWAY_UPSTREAM_EJECTION: '1h',
      PANDO_GATEWAY_UPSTREAM_EJECTION_MAX: '1h',
    })
    const found = await statuses(url, 60)
    expect(found.filter((status) => status === 500)).toHaveLength(5)
    expect(nodes[0]!.requests).toBe(5)
    expect(await addresses('ejected')).toBe(1)
    await nodes[1]!.stop()
    await expect.poll(() => addresses('down')).toBe(1)
    expect(await statusOf(url)).toBe(500)
  })

  it('is not blamed for refusing early, nor for what clients break off', async () => {
    const busy = await startNode((_request, response) => void response.writeHead(503, { 'retry-after': '1' }).end())
    const { url, addresses, shown } = await setUp([busy])
    expect(await statuses(url, 20)).toEqual(all(20, 503))
    for (let count = 0; count < 10; count += 1) {
      const upload = requestHttp(url, { method: 'POST', headers: { 'content-length': 1000 } })
      upload.on('error', () => undefined).write('half')
      await expect.poll(() => busy.requests).toBeGreaterThan(20 + count)
      upload.destroy()
    }
    expect([await addresses('up'), await shown('gateway_upstream_failures_total')]).toEqual([1, 0])
  })

  it('is asked again for what reads, elsewhere, when a connection breaks, and never for what writes', async () => {
    const broken = await startNode((request) => void request.socket.destroy())
    const nodes = [broken, await startNode()]
    const { url, shown } = await setUp(nodes, {
      PANDO_GATEWAY_UPSTREAM_FAILURES_MAX: '1000',
      PANDO_GATEWAY_UPSTREAM_RETRY_SHARE: '1',
    })
    expect(await statuses(url, 20)).toEqual(all(20, 200))
    expect(await shown('gateway_upstream_retries_total')).toBe(broken.requests)
    const before = broken.requests
    const written = await statuses(url, 20, { method: 'POST', body: 'x' })
    expect(written.filter((status) => status === 502)).toHaveLength(broken.requests - before)
    expect(broken.requests + nodes[1]!.requests).toBe(20 + before + 20)
  })

  it('is asked again for no more than a fifth of the requests, after the first ten', async () => {
    const nodes = [
      await startNode((request) => void request.socket.destroy()),
      await startNode((request) => void request.socket.destroy()),
    ]
    const { url, shown } = await setUp(nodes, { PANDO_GATEWAY_UPSTREAM_FAILURES_MAX: '1000' })
    expect(await statuses(url, 100)).toEqual(all(100, 502))
    const retries = await shown('gateway_upstream_retries_total')
    expect(retries).toBeGreaterThan(20)
    expect(retries).toBeLessThanOrEqual(30)
    expect(nodes[0]!.requests + nodes[1]!.requests).toBe(100 + retries)
  })

  it('writes too go elsewhere when nobody listens: nothing has been sent', async () => {
    const echo: RequestListener = (request, response) => void request.pipe(response)
    const nodes = [await startNode(echo), await startNode(echo)]
    const { url } = await setUp(nodes, { PANDO_GATEWAY_UPSTREAM_PROBE_INTERVAL: '1h' })
    await nodes[0]!.stop()
    for (let count = 0; count < 10; count += 1) {
      const answer = await fetch(url, { method: 'POST', body: `written ${count}` })
      expect([answer.status, await answer.text()]).toEqual([200, `written ${count}`])
    }
  })

  it('that nobody can connect to is 503 at once, and is found again by itself', async () => {
    const node = await startNode()
    const { url, addresses } = await setUp([node])
    await node.stop()
    await expect.poll(() => addresses('down')).toBe(1)
    const answer = await fetch(url)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    await startNode(undefined, Number(new URL(node.origin).port))
    await expect.poll(() => statusOf(url)).toBe(200)
  })

  it('gets no more requests at once than its limit', async () => {
    let answer: () => void = () => undefined
    const node = await startNode((_request, response) => void (answer = () => response.end()))
    const { url } = await setUp([node], { PANDO_GATEWAY_UPSTREAM_REQUESTS_MAX: '1' })
    const slow = statusOf(url)
    await expect.poll(() => node.requests).toBe(1)
    expect(await (await fetch(url)).json()).toMatchObject({ status: 503, code: 'gateway.upstream_busy' })
    answer()
    expect([await slow, node.requests]).toEqual([200, 1])
  })

  it('hears at each try how much time is left', async () => {
    const seen: number[] = []
    const node = await startNode((request, response) => {
      seen.push(Number(request.headers['x-pando-timeout-ms']))
      if (seen.length === 1) setTimeout(() => request.socket.destroy(), 50)
      else response.end()
    })
    const { url } = await setUp([node], { PANDO_HTTP_REQUEST_TIMEOUT: '20s' })
    expect(await statusOf(url, { headers: { 'x-pando-timeout-ms': '15000' } })).toBe(200)
    expect(seen).toHaveLength(2)
    expect(seen[0]).toBeLessThanOrEqual(15_000)
    expect(seen[1]).toBeLessThan(seen[0]!)
  })
})

describe('the file of upstreams', () => {
  it('is read again: requests follow it, and a mistake changes nothing', async () => {
    const nodes = [await startNode(), await startNode()]
    const folder = mkdtempSync(join(tmpdir(), 'pando-upstreams-'))
    endings.push(async () => rmSync(folder, { recursive: true }))
    const file = join(folder, 'upstreams')
    const save = (text: string): void => writeFileSync(file, text)
    save(`auth=${nodes[0]!.origin}\n`)
    const { url } = await setUp([], { PANDO_GATEWAY_UPSTREAMS: '', PANDO_GATEWAY_UPSTREAMS_FILE: file })
    expect(await statusOf(url)).toBe(200)
    save(`auth=${nodes[1]!.origin}\n`)
    await expect.poll(async () => [await statusOf(url), nodes[1]!.requests > 0]).toEqual([200, true])
    const before = nodes[0]!.requests
    for (const mistake of ['auth=nowhere', `rest=${nodes[0]!.origin}`, '']) {
      save(mistake)
      await new Promise((resolve) => setTimeout(resolve, 250))
      expect(await statuses(url, 3)).toEqual(all(3, 200))
    }
    expect(nodes[0]!.requests).toBe(before)
  })

  it('is refused at the start when it is wrong', () => {
    const start = (environment: Record<string, string>) => () => setUpGateway(environment)
    expect(start({ PANDO_GATEWAY_UPSTREAMS_FILE: '/nowhere/upstreams' })).toThrow('ENOENT')
    expect(
      start({ PANDO_GATEWAY_UPSTREAMS_FILE: '/nowhere/upstreams', PANDO_GATEWAY_UPSTREAMS: 'auth=http://x:1' }),
    ).toThrow('both set')
  })
})

describe('a node that is killed under load', () => {
  const file = fileURLToPath(new URL('../testing/upstream-process.ts', import.meta.url))

  async function startProcess(port = 0) {
    const child = spawn(process.execPath, [file, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
    endings.push(async () => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    return { pid: child.pid!, origin: `http://127.0.0.1:${Number(String(line))}`, kill: () => child.kill('SIGKILL') }
  }

  it('costs no read, and no more writes than were in flight; it comes back into use', async () => {
    const nodes = [await startProcess(), await startProcess()]
    const { url, addresses } = await setUp(nodes)
    const agent = new Agent({ keepAlive: true })
    endings.push(async () => agent.destroy())
    const found = { GET: new Map<number, number>(), POST: new Map<number, number>() }
    const over = new AbortController()
    const ask = (method: 'GET' | 'POST'): Promise<void> =>
      new Promise((resolve, reject) => {
        const sent = requestHttp(url, { method, agent }, (answer) => {
          const status = answer.statusCode!
          found[method].set(status, (found[method].get(status) ?? 0) + 1)
          answer.resume().on('end', resolve)
        })
        sent.on('error', reject).end(method === 'POST' ? 'x' : undefined)
      })
    const client = async (method: 'GET' | 'POST'): Promise<void> => {
      while (!over.signal.aborted) await ask(method)
    }
    const writers = 6
    const clients = [
      ...Array.from({ length: 6 }, () => client('GET')),
      ...Array.from({ length: writers }, () => client('POST')),
    ]
    const answered = (): number => (found.GET.get(200) ?? 0) + (found.POST.get(200) ?? 0)
    await expect.poll(answered, { timeout: 10_000 }).toBeGreaterThan(100)
    nodes[0]!.kill()
    await expect.poll(() => addresses('down'), { timeout: 10_000 }).toBe(1)
    const atDeath = answered()
    await expect.poll(answered, { timeout: 10_000 }).toBeGreaterThan(atDeath + 100)
    await startProcess(Number(new URL(nodes[0]!.origin).port))
    await expect.poll(() => addresses('up'), { timeout: 10_000 }).toBe(2)
    over.abort()
    await Promise.all(clients)
    expect([...found.GET.keys()]).toEqual([200])
    expect([...found.POST.keys()].filter((status) => status !== 200 && status !== 502)).toEqual([])
    expect(found.POST.get(502) ?? 0).toBeLessThanOrEqual(writers)
  })
})
