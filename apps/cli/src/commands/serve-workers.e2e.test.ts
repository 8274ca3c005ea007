import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { Agent, createServer, request as requestHttp } from 'node:http'
import type { AddressInfo } from 'node:net'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startServe } from '../testing/run-pando.ts'
import type { LogLine, RunningNode } from '../testing/run-pando.ts'

const startMs = 30_000
const endings: (() => unknown)[] = []
let cwd: string
beforeEach(async () => {
  cwd = await makeTemporaryFolder('pando-workers-')
})
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
  rmSync(cwd, { recursive: true })
})

/** RFC 6455 §1.3 */
const websocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A service of its own behind the node, which therefore needs no database. */
async function startUpstream(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('ok'))
  })
  server.on('upgrade', ({ headers }, socket) => {
    const accepted = createHash('sha1').update(`${headers['sec-websocket-key']}${websocketGuid}`).digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.on('error', () => undefined).write(`${head.join('\r\n')}\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type WorkersNode = RunningNode & { readonly api: string; readonly admin: string; readonly started: LogLine }

async function startWorkers(environment: Record<string, string> = {}): Promise<WorkersNode> {
  const upstream = await startUpstream()
  const node = startServe(['--services', 'gateway', '--workers', '2', '--port', '0'], {
    cwd,
    env: {
      PANDO_JWT_SECRET: 'a secret of this deployment alone, long enough',
      PANDO_GATEWAY_UPSTREAMS: `rest=${upstream},realtime=${upstream}`,
      // Nothing is refused for load, nor is a node taken for silent: many tests share few cores.
      PANDO_GATEWAY_UPSTREAM_PROBE_TIMEOUT: '30s',
      PANDO_SERVER_ADMIN_PORT: '0',
      PANDO_SERVER_DRAIN_DELAY: '1s',
      PANDO_SERVER_DRAIN_SPREAD: '0',
      PANDO_LOG_REQUEST_SHARE: '0',
      ...environment,
    },
  })
  endings.push(() => node.stop())
  const url = await node.url
  await expect.poll(() => lineOf(node, 'all workers have started'), { timeout: startMs }).toBeDefined()
  const started = lineOf(node, 'all workers have started')!
  return { ...node, api: `${url}/rest/v1/x`, admin: String(started['adminUrl']), started }
}

const linesOf = (node: RunningNode, msg: string): LogLine[] => node.lines().filter((line) => line.msg === msg)
const lineOf = (node: RunningNode, msg: string): LogLine | undefined => linesOf(node, msg)[0]
const pidsOf = ({ started }: WorkersNode): number[] => started['workers'] as number[]

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Clients that ask all the time and keep their connections; what goes wrong is counted, and nothing is asked again. */
function startLoad(url: string, clients: number) {
  const agent = new Agent({ keepAlive: true })
  const outcomes = new Map<string, number>()
  const over = new AbortController()
  const ask = (method: string): Promise<string> =>
    new Promise((resolve) => {
      const sent = requestHttp(url, { method, agent }, (answer) => {
        answer.resume().on('end', () => resolve(String(answer.statusCode)))
        answer.on('error', (error) => resolve(error.message))
      })
      sent.on('error', (error) => resolve(error.message))
      sent.end(method === 'POST' ? 'written' : undefined)
    })
  const running = Array.from({ length: clients }, async (_, index) => {
    while (!over.signal.aborted) {
      const outcome = await ask(index % 2 === 0 ? 'GET' : 'POST')
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  })
  return {
    outcomes,
    answered: () => outcomes.get('200') ?? 0,
    async stop() {
      over.abort()
      await Promise.all(running)
      agent.destroy()
    },
  }
}

describe('pando serve --workers', () => {
  it('replaces one worker after the other on SIGHUP, and no request fails', { timeout: 120_000 }, async () => {
    const node = await startWorkers()
    const load = startLoad(node.api, 8)
    await expect.poll(load.answered, { timeout: startMs }).toBeGreaterThan(100)
    node.kill('SIGHUP')
    const old = pidsOf(node)
    await expect.poll(() => old.some(isAlive), { timeout: 60_000 }).toBe(false)
    const replaced = load.answered()
    await expect.poll(load.answered, { timeout: startMs }).toBeGreaterThan(replaced + 100)
    await load.stop()
    expect([...load.outcomes.keys()]).toEqual(['200'])
    expect(linesOf(node, 'a worker has a successor').map(({ worker }) => worker)).toEqual([1, 2])
    expect(node.warnings()).toEqual([])
  })

  it(
    'closes WebSockets of a worker that is replaced, and they come back to its successor',
    { timeout: 120_000 },
    async () => {
      const node = await startWorkers()
      const dial = async (): Promise<WebSocket> => {
        const socket = new WebSocket(node.api.replace('http', 'ws').replace('rest', 'realtime'))
        await once(socket, 'open')
        return socket
      }
      const closed = (await Promise.all([dial(), dial(), dial(), dial()])).map((socket) => once(socket, 'close'))
      node.kill('SIGHUP')
      await Promise.all(closed)
      expect(linesOf(node, 'a worker has a successor')).not.toEqual([])
      ;(await dial()).close()
    },
  )

  it('has another worker in the place of one that is killed', { timeout: 120_000 }, async () => {
    const node = await startWorkers()
    const [first] = pidsOf(node)
    process.kill(first!, 'SIGKILL')
    await expect.poll(() => linesOf(node, 'listening').length, { timeout: startMs }).toBe(3)
    expect(lineOf(node, 'a worker ended; another one follows')).toMatchObject({ worker: 1, signal: 'SIGKILL' })
    for (let count = 0; count < 10; count += 1) expect((await fetch(node.api)).status).toBe(200)
  })

  it('shows health and the metrics of all workers in one place', { timeout: 120_000 }, async () => {
    const node = await startWorkers({ PANDO_GATEWAY_METRICS_PUBLIC: 'true' })
    expect(await (await fetch(`${node.admin}/health/ready`)).json()).toMatchObject({ status: 'ready' })
    await expect
      .poll(async () => (await fetch(`${node.admin}/metrics`)).text())
      .toContain('node_workers{state="ready",worker="primary"} 2')
    const page = await (await fetch(`${node.admin}/metrics`)).text()
    for (const worker of ['primary', '1', '2'])
      expect(page).toMatch(new RegExp(`^process_resident_memory_bytes{worker="${worker}"} \\d+$`, 'm'))
    expect(page.match(/^# TYPE process_resident_memory_bytes gauge$/gm)).toHaveLength(1)
    const shown = await (await fetch(`${new URL(node.api).origin}/metrics`)).text()
    expect(shown).toContain('process_resident_memory_bytes{worker="2"}')
  })

  it('ends all of them on SIGTERM, after it has said that it is not ready', { timeout: 120_000 }, async () => {
    const node = await startWorkers({ PANDO_SERVER_DRAIN_DELAY: '2s' })
    const { origin } = new URL(node.api)
    const pids = pidsOf(node)
    node.kill('SIGTERM')
    await expect.poll(async () => (await fetch(`${origin}/health/ready`)).status).toBe(503)
    expect((await fetch(node.api)).status).toBe(200)
    expect(await node.end).toBe(0)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('ends at once when it is told to before all have started', { timeout: 120_000 }, async () => {
    const env = { PANDO_JWT_SECRET: 'a secret of this deployment alone, long enough', PANDO_SERVER_DRAIN_DELAY: '0' }
    const node = startServe(['--services', 'gateway', '--workers', '2', '--port', '0'], { cwd, env })
    endings.push(() => node.kill('SIGKILL'))
    await node.url
    node.kill('SIGTERM')
    expect(await node.end).toBe(0)
    expect(node.warnings()).toEqual([])
  })

  it('leaves no worker behind when the first process is killed', { timeout: 120_000 }, async () => {
    const node = await startWorkers({ PANDO_SERVER_DRAIN_DELAY: '0' })
    const pids = pidsOf(node)
    node.kill('SIGKILL')
    await expect.poll(() => pids.some(isAlive), { timeout: startMs }).toBe(false)
  })

  it('says why it does not start, once', { timeout: 120_000 }, async () => {
    const upstreams = 'PANDO_GATEWAY_UPSTREAMS_FILE'
    const node = startServe(['--services', 'gateway', '--workers', '2', '--port', '0'], {
      cwd,
      env: { PANDO_JWT_SECRET: 'a secret of this deployment alone, long enough', [upstreams]: '/nowhere' },
    })
    endings.push(() => node.kill('SIGKILL'))
    await expect(node.url).rejects.toThrow(/^serve ended: ✗ The node did not start: ENOENT[^\n]*\n$/)
    expect(await node.end).toBe(1)
  })
})
