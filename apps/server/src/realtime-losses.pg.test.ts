import { demoKeys } from '@pando/http/auth/api-keys'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { loginUrl, setPassword } from '@pando/postgres/login'
import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Follower, mustHaveAll, type Numbered, startFollower } from './testing/follower.ts'
import type { Said } from './testing/phoenix.ts'

const isLong = process.env['PANDO_TEST_LONG'] === '1'
const followersMax = isLong ? 2_000 : 100
const rounds = isLong ? 5 : 1
const writersMax = 3
const password = 'open'
const logins = [
  'authenticator',
  'postgres',
  'supabase_auth_admin',
  'supabase_realtime_admin',
  'supabase_replication_admin',
]

let folder: string
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>
let keys: Awaited<ReturnType<typeof demoKeys>>
let node: Node

const startPostgres = () => startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })

beforeAll(async () => {
  folder = await makeTemporaryFolder('pando-losses-')
  keys = await demoKeys()
  postgres = await startPostgres()
  await ensureConventions({
    url: postgres.url,
    folders: await listConventionFolders(path.join(import.meta.dirname, '../../../services')),
  })
  await asAdmin(async (admin) => {
    for (const role of logins) await setPassword(admin, role, password)
    await admin.query(`
      create table public.numbers (id serial primary key, writer int not null, n int not null);
      grant select on public.numbers to anon;
      alter publication supabase_realtime add table public.numbers`)
  })
  node = await startNode()
}, 60_000)

afterAll(async () => {
  node?.process.kill('SIGKILL')
  await postgres?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function asAdmin<T>(use: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: postgres.url })
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.end()
  }
}

type Node = { readonly process: ChildProcess; readonly url: string }

/** A node as a process of its own, on a port of its own. */
async function startNode(): Promise<Node> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: loginUrl(postgres.url, { role: 'postgres', password }),
      PANDO_JWT_SECRET: keys.jwtSecret,
      PANDO_SERVER_PORT: '0',
      PANDO_SERVER_SERVICES: 'realtime',
      PANDO_CHANGES_STANDBY_PAUSE: '50ms',
      PANDO_CHANGES_RETRY_PAUSE_MAX: '200ms',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
    if (msg !== 'listening') continue
    child.stdout.resume()
    return { process: child, url: url! }
  }
  throw new Error('the node did not start')
}

/** Writes rows until it is told to stop, over every fault, and a message with each. */
function startWriter(writer: number): { stop(): Promise<void> } {
  const stopping = new AbortController()
  let n = 0
  const statement = `
    with row as (insert into public.numbers (writer, n) values ($1, $2) returning id)
    select realtime.send(jsonb_build_object('number', id), 'number', 'numbers', false) from row`
  const write = async (): Promise<void> => {
    const client = new Client({ connectionString: postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    while (!stopping.signal.aborted) {
      await client.query(statement, [writer, (n += 1)])
      await sleep(1)
    }
    await client.end()
  }
  const keepWriting = async (): Promise<void> => {
    while (!stopping.signal.aborted) await write().catch(() => sleep(20))
  }
  const ended = keepWriting()
  return { stop: () => (stopping.abort(), ended) }
}

const readRow = ({ event, payload }: Said): Numbered | undefined => {
  if (event !== 'postgres_changes') return undefined
  const { record } = payload['data'] as { record: { id: number } }
  return { id: record.id, cursor: String(payload['cursor']) }
}

const readMessage = ({ event, payload }: Said): Numbered | undefined => {
  if (event !== 'broadcast') return undefined
  const [{ number }, { cursor }] = [payload['payload'], payload['meta']] as [{ number: number }, { cursor: string }]
  return { id: number, cursor }
}

const kinds = [
  {
    topic: 'rows',
    config: { postgres_changes: [{ event: 'INSERT', schema: 'public', table: 'numbers' }] },
    read: readRow,
  },
  { topic: 'numbers', config: { broadcast: { replication_ready: true } }, read: readMessage },
]

const faults: Record<string, () => Promise<unknown>> = {
  'kill -9 of the node': async () => {
    node.process.kill('SIGKILL')
    await once(node.process, 'exit')
    node = await startNode()
  },
  'the end of the connection that reads the log': () =>
    asAdmin((admin) =>
      admin.query("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'"),
    ),
  'kill -9 of Postgres': async () => {
    process.kill(postgres.pid, 'SIGKILL')
    await postgres.crashed
    await postgres.stop()
    postgres = await startPostgres()
  },
  'a restart of Postgres': async () => {
    await postgres.stop()
    postgres = await startPostgres()
  },
}

/** In commit order by writer, as the table has them: a number of a statement without an answer may be there or not. */
async function readTruth(): Promise<Map<number, number[]>> {
  const { rows } = await asAdmin((admin) =>
    admin.query<{ id: number; writer: number }>('select id, writer from public.numbers order by writer, n'),
  )
  const truth = new Map<number, number[]>()
  for (const { id, writer } of rows) truth.set(writer, [...(truth.get(writer) ?? []), id])
  return truth
}

/** Told while Postgres is away or this machine is busy: who comes back by the cursor has lost nothing. */
const mended = new Set(['check-failed', 'too-many-pending', 'too_slow'].map((reason) => `resync: ${reason}`))

const patiently = { timeout: 60_000, interval: 20 }

test(
  `${followersMax} clients and ${writersMax} writers: over every fault nothing is lost, doubled or out of order`,
  { timeout: 600_000 },
  async () => {
    const plans = Array.from({ length: followersMax }, (_, index) => kinds[index % kinds.length]!)
    const url = (): string => node.url
    const followers = await Promise.all(plans.map((plan) => startFollower({ ...plan, url, apikey: keys.anonKey })))
    const writers = Array.from({ length: writersMax }, (_, index) => startWriter(index))
    const countOf = ({ got }: Follower): number => got.length
    for (let round = 0; round < rounds; round += 1) {
      for (const strike of Object.values(faults)) {
        await strike()
        // Everybody is back, and a while goes by.
        const before = Math.max(...followers.map(countOf))
        await expect.poll(() => Math.min(...followers.map(countOf)), patiently).toBeGreaterThan(before + 20)
      }
    }
    for (const { stop } of writers) await stop()
    const truth = await readTruth()
    const total = [...truth.values()].flat().length
    await expect.poll(() => Math.min(...followers.map(countOf)), patiently).toBe(total)
    for (const { stop } of followers) stop()
    for (const topic of ['rows', 'numbers'])
      mustHaveAll(
        followers.filter((_, index) => plans[index]!.topic === topic),
        truth,
      )
    const losses = followers.flatMap(({ resyncs }) => resyncs).filter((reason) => !mended.has(reason))
    expect(losses).toEqual([])
    expect(Math.min(...followers.map(({ connections }) => connections()))).toBeGreaterThan(rounds)
    mustCatchPlanted(followers, truth)
  },
)

/** What looks for losses finds those that are there. */
function mustCatchPlanted(followers: readonly Follower[], truth: ReadonlyMap<number, readonly number[]>): void {
  const got = followers[0]!.got
  const plant = (change: (own: Numbered[]) => Numbered[]) => () =>
    mustHaveAll([{ got }, { got: change([...got]) }], truth)
  expect(plant((own) => own.toSpliced(7, 1))).toThrow(/^missing: \d+$/)
  expect(plant((own) => own.toSpliced(7, 0, own[3]!))).toThrow('1 came twice')
  expect(plant((own) => own.toSpliced(7, 2, own[8]!, own[7]!))).toThrow('not in the order of others')
  expect(plant((own) => own.toSpliced(7, 0, { id: -1, cursor: '' }))).toThrow('1 came that were never committed')
}
