import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Report } from '../drills/drill.ts'
import { drills } from '../drills/all.ts'
import { runPando, startPando } from '../testing/run-pando.ts'

/** How many times each fault, and for how long, when it may take as long as it takes. */
const isLong = process.env['PANDO_TEST_LONG'] === '1'
const size = isLong
  ? ['--seconds', '10', '--rounds', '20', '--nodes', '3']
  : ['--seconds', '1', '--nodes', '2', '--connections', '600']
const timeout = isLong ? 7_200_000 : 600_000

let cwd: string
beforeEach(async () => {
  cwd = await makeTemporaryFolder('pando-drills-')
})
afterEach(() => rmSync(cwd, { recursive: true }))

/** Everything that a drill makes is in this folder. */
const environment = () => ({ TMPDIR: cwd })
const drill = (...args: string[]) => runPando(['drill', ...args], { cwd, env: environment() })

describe('pando drill', () => {
  // Of the short form a rolling restart is no part: fleet.e2e.test.ts has one.
  it('does every drill on a fleet of its own, loses nothing, and leaves nothing', { timeout }, async () => {
    const names = drills.map(({ name }) => name).filter((name) => isLong || name !== 'rolling-restart')
    const { out, err } = await drill(...names, '--json', ...size)
    const lines = out.split('\n').filter((line) => line.startsWith('{"drill"'))
    const reports = lines.map((line) => JSON.parse(line) as Report)
    expect({ done: reports.map((report) => report.drill), err }).toEqual({ done: names, err: '' })
    for (const { drill: name, checks, losses, ...report } of reports) {
      // How fast a busy machine is, and whether it has to turn people away, is no matter of a test.
      const lost = checks.filter((check) => /^(acknowledged )?writes|^events/.test(check.name) && check.figure !== 0)
      const { acknowledgedWrites = 1, events = 1 } = losses ?? {}
      const isFull = [report.steps, report.phases, report.seconds].every(({ length }) => length > 1)
      expect({ name, lost, isFull, wrote: acknowledgedWrites > 0, told: events > 0 }).toEqual({
        name,
        lost: [],
        isFull: true,
        wrote: true,
        told: true,
      })
    }
    expect(readdirSync(cwd)).toEqual([])
  })

  it('ends everything that it has started on Ctrl-C', { timeout }, async () => {
    const running = startPando(['drill', 'kill-node', '--seconds', '600', '--nodes', '1'], { cwd, env: environment() })
    const url = await untilFleetListens()
    running.kill('SIGINT')
    expect(await running.end).toBe(130)
    await expect(fetch(`${url}/health/ready`)).rejects.toThrow('fetch failed')
    expect(readdirSync(cwd)).toEqual([])
  })

  it('offers a spike to an address, writes to a named table alone, and finds what was lost', { timeout }, async () => {
    const staging = await startStaging()
    const args = ['spike', '--json', '--url', staging.url, '--key', 'a key', '--read', '/rest/v1/posts', '--rate', '20']
    const read = JSON.parse((await drill(...args, '--seconds', '1')).out.split('\n')[0]!) as Report
    expect(read.phases.map(({ name }) => name)).toEqual(['half', '× 1', '× 10', 'half again'])
    expect([...staging.asked]).toEqual(['GET /rest/v1/posts'])
    const wrote = JSON.parse(
      (await drill(...args, '--seconds', '1', '--table', 'trials')).out.split('\n')[0]!,
    ) as Report
    expect([...staging.asked]).toEqual(['GET /rest/v1/posts', 'POST /rest/v1/trials', 'GET /rest/v1/trials'])
    expect(wrote.checks.find(({ name }) => name === 'acknowledged writes that are lost')).toMatchObject({
      figure: 1,
      verdict: 'broken',
    })
    staging.stop()
  })

  it.each([
    [['kill-nod'], /There is no drill kill-nod\.\nThere are: spike, /],
    [['kill-node', '--url', 'http://127.0.0.1:9'], /kill-node cannot be done to an address: only spike can/],
    [['spike', '--url', 'http://127.0.0.1:9'], /wants to know --key, --read and --rate/],
    [['spike', '--seconds', '0'], /a whole number from 1 to 3600/],
    [['rolling-restart', '--balancer', 'apache'], /Allowed choices are haproxy, nginx/],
  ])('refuses %j and says what to do', async (args, message) => {
    const { code, out, err } = await drill(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  it('says that Redis is not there', async () => {
    const env = { ...environment(), PATH: '/nowhere' }
    const { code, err } = await runPando(['drill', 'lose-redis'], { cwd, env })
    expect(code).toBe(1)
    expect(err).toMatch(/Redis-server cannot be started: install it/)
    expect(readdirSync(cwd)).toEqual([])
  })
})

async function untilFleetListens(): Promise<string> {
  const upstreams = (): string[] =>
    readdirSync(cwd)
      .map((name) => join(cwd, name, 'upstreams'))
      .filter(existsSync)
  await expect.poll(upstreams, { timeout: 60_000 }).toHaveLength(1)
  const url = /http:\S+/.exec(readFileSync(upstreams()[0]!, 'utf8'))![0]
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(isReady, { timeout: 60_000 }).toBe(true)
  return url
}

/** Stands for an installation elsewhere: it takes every row, and forgets the first. */
async function startStaging() {
  const asked = new Set<string>()
  const kept: string[] = []
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://127.0.0.1')
    asked.add(`${request.method} ${pathname}`)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.method === 'POST') kept.push((JSON.parse(body) as { id: string }).id)
      const wanted = (searchParams.get('id') ?? '').replaceAll(/in\.\(|\)/g, '').split(',')
      const found = kept.slice(1).filter((id) => wanted.includes(id))
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(found.map((id) => ({ id }))))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () => server.close().closeAllConnections(),
  }
}
