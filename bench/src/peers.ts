import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchFolder, claims, freePort, processPeer, readyLine, startNode } from './peer.ts'
import type { Peer } from './peer.ts'
import type { HttpRequest } from './workloads.ts'

type Environment = Readonly<Record<string, string>>
type Server = Peer & { readonly url: string; readonly pid: number }

/** Fastify and `pg` with a transaction per request. */
export async function startPlain(databaseUrl: string, env: Environment = {}): Promise<Server> {
  const child = startNode('plain.ts', { DATABASE_URL: databaseUrl, CLAIMS: JSON.stringify(claims), ...env })
  const { url } = (await readyLine(child)) as { url: string }
  const requests: Record<string, HttpRequest> = {
    'one row': { method: 'GET', path: '/items/{key}' },
    feed: { method: 'GET', path: '/feed/{small}' },
    insert: { method: 'POST', path: '/readings', body: '{"device":{small},"value":0.5}' },
    rpc: { method: 'POST', path: '/rpc/add', body: '{"a":{small},"b":1}' },
    count: { method: 'GET', path: '/count/{small}' },
    '1000 rows': { method: 'GET', path: '/page/{small}' },
  }
  return {
    ...processPeer('plain', child),
    url,
    target: (workload) => {
      const request = workload.name === 'upsert 100' ? { ...workload.rest, headers: {} } : requests[workload.name]
      return request === undefined ? undefined : { ...request, base: url }
    },
  }
}

/** Parse Server 9 in a database of its own on the same Postgres; it reaches it over TCP, as it knows no unix sockets. */
export async function startParseServer(
  databaseUrl: string,
  env: Environment = {},
): Promise<Server & { readonly headers: Readonly<Record<string, string>> }> {
  const child = startNode('parse-server.ts', { DATABASE_URL: databaseUrl, ...env })
  const { url, headers } = (await readyLine(child)) as { url: string; headers: Record<string, string> }
  const requests: Record<string, HttpRequest> = {
    'one row': { method: 'GET', path: '/classes/Item/{key}' },
    feed: {
      method: 'GET',
      path: '/classes/Item?where=%7B%22score%22%3A{small}%7D&order=-createdAt&limit=20&include=author&keys=title,author',
    },
    insert: { method: 'POST', path: '/classes/Reading', body: '{"device":{small},"value":0.5}' },
    rpc: { method: 'POST', path: '/functions/add', body: '{"a":{small},"b":1}' },
    count: { method: 'GET', path: '/classes/Item?where=%7B%22score%22%3A{small}%7D&order=key&limit=20&count=1' },
    '1000 rows': {
      method: 'GET',
      path: '/classes/Item?where=%7B%22key%22%3A%7B%22%24gt%22%3A{small}%7D%7D&order=key&limit=1000',
    },
  }
  return {
    ...processPeer('parse-server', child),
    url,
    headers,
    target: ({ name }) => (requests[name] === undefined ? undefined : { ...requests[name], base: url, headers }),
  }
}

/** PocketBase on its own SQLite; undefined, with the reason on stderr, where Go cannot build it. */
export async function startPocketBase(env: Environment = {}): Promise<Server | undefined> {
  const binary = join(tmpdir(), 'pando-bench-pocketbase')
  const source = join(benchFolder, 'peers', 'pocketbase')
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: source, encoding: 'utf8' })
  if (built.status !== 0) {
    process.stderr.write(`PocketBase is left out: ${built.error?.message ?? built.stderr}\n`)
    return undefined
  }
  const port = await freePort()
  const data = mkdtempSync(join(tmpdir(), 'pando-bench-pocketbase-data-'))
  const url = `http://127.0.0.1:${port}`
  const child = spawn(binary, ['serve', `--http=127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DATA_DIR: data, ROWS: '100000', ...env },
  })
  await untilAnswers(`${url}/api/health`)
  const requests: Record<string, HttpRequest> = {
    feed: {
      method: 'GET',
      path: '/api/collections/items/records?filter=score%3D{small}&sort=-key&perPage=20&expand=author&skipTotal=1&fields=id,title,expand',
    },
    insert: { method: 'POST', path: '/api/collections/readings/records', body: '{"device":{small},"value":0.5}' },
    count: { method: 'GET', path: '/api/collections/items/records?filter=score%3D{small}&sort=key&perPage=20' },
    '1000 rows': {
      method: 'GET',
      path: '/api/collections/items/records?filter=key%3E{small}&sort=key&perPage=1000&skipTotal=1',
    },
    'one row': { method: 'GET', path: '/api/collections/items/records?filter=key%3D{key}&perPage=1&skipTotal=1' },
  }
  const peer = processPeer('pocketbase', child)
  const stop = async () => {
    await peer.stop()
    rmSync(data, { recursive: true })
  }
  return {
    ...peer,
    url,
    stop,
    target: ({ name }) => (requests[name] === undefined ? undefined : { ...requests[name], base: url }),
  }
}

async function untilAnswers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} did not answer within 30 s`)
}
