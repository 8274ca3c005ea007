import { demoJwtSecret } from '@pando/http/auth/api-keys'
import { startTestCluster, type TestCluster } from '@pando/postgres/pipeline/test-cluster'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { createFactories } from './factories.ts'
import { type RunningServer, startServer } from './start-server.ts'
import { freePort } from '@pando/postgres/testing/free-port'

/** Three of them are for superusers, a few for the catalogue; the rest is for requests. */
const serverConnectionsMax = 24
/** Longer than any test may take: who is answered did not wait for a statement of this length. */
const longSeconds = 3600

let cluster: TestCluster
const running: RunningServer[] = []

beforeAll(async () => {
  cluster = await startTestCluster({
    settings: { max_connections: serverConnectionsMax, max_wal_senders: 0, superuser_reserved_connections: 3 },
  })
  await cluster.admin(`
    create table public.items (id int primary key, name text);
    insert into public.items select n, 'item ' || n from generate_series(1, 20) as n;
    grant all on public.items to anon;
    create function public.nap(seconds float8) returns int language sql stable as $$select 1 from pg_sleep(seconds)$$;
    create function public.nap_writing(seconds float8) returns int language sql volatile as $$select 1 from pg_sleep(seconds)$$;`)
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})
afterAll(() => cluster.remove())

/** A node with a deadline of `timeout` for every request. */
async function start(timeout: string): Promise<string> {
  const port = await freePort()
  const environment = {
    PANDO_JWT_SECRET: demoJwtSecret,
    PANDO_SERVER_PORT: String(port),
    PANDO_LOG_LEVEL: 'silent',
    PANDO_HTTP_REQUEST_TIMEOUT: timeout,
    PANDO_REST_TX_END: 'commit-allow-override',
  }
  const addresses = {
    apiUrl: cluster.url,
    listenUrl: cluster.url,
    authUrl: cluster.url,
    realtimeUrl: cluster.url,
    changesUrl: cluster.url,
    mode: 'pipelined',
  } as const
  const server = await startServer(readServerConfig({ environment }), createFactories(addresses))
  running.push(server)
  return server.url
}

type Answer = {
  readonly status: number
  readonly code?: string
  readonly retryAfter: string | null
  readonly members: readonly string[]
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${url}/rest/v1/${path}`, init)
  const body = (await answer.json()) as { code?: string }
  const retryAfter = answer.headers.get('retry-after')
  return { status: answer.status, code: body.code, retryAfter, members: Object.keys(body).sort() }
}

const write = (seconds: number): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', prefer: 'tx=rollback' },
  body: JSON.stringify({ seconds }),
})

/** No answer of the protocol's is without its say when to come back. */
const comeBack = {
  status: expect.toSatisfy((status) => status === 503 || status === 504),
  retryAfter: expect.any(String),
  members: ['code', 'details', 'hint', 'message'],
}

const statusOf = (url: string): Promise<number> => ask(url, 'items?select=id&limit=1').then(({ status }) => status)

const statementsRunning = async (like: string): Promise<number> => {
  const rows = await cluster.admin(
    `select 1 from pg_stat_activity where state = 'active' and query like '%${like}%' and pid <> pg_backend_pid()`,
  )
  return rows.length
}

const patiently = { timeout: 20_000, interval: 50 }

/** Asks again and again, many at once, until told to stop; gives every answer. */
function keepAsking(url: string, path: string): { stop(): Promise<Answer[]> } {
  const answers: Answer[] = []
  const stop = new AbortController()
  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) answers.push(await ask(url, path))
  }
  const workers = Array.from({ length: 12 }, work)
  return {
    stop: async () => {
      stop.abort()
      await Promise.all(workers)
      return answers
    },
  }
}

describe('a database that is down', () => {
  test('at the start: the node answers 503 and recovers by itself', async () => {
    await cluster.stop()
    const url = await start('5s')
    const answer = await ask(url, 'items')
    await cluster.start()
    expect(answer).toMatchObject({ ...comeBack, code: 'PGRST002' })
    await expect.poll(() => statusOf(url), patiently).toBe(200)
  })

  test.each(['SIGKILL', 'SIGQUIT', 'SIGINT'] as const)(
    'by %s under load: every request is answered, and all is well when it is back',
    async (signal) => {
      const url = await start('5s')
      const asking = keepAsking(url, 'items?select=id&limit=1')
      const [file] = await cluster.admin("select pg_read_file('postmaster.pid') as text")
      process.kill(Number.parseInt(String(file!['text']), 10), signal)
      await expect.poll(() => statusOf(url), patiently).toBe(503)
      await cluster.stop()
      await cluster.start()
      await expect.poll(() => statusOf(url), patiently).toBe(200)
      const answers = await asking.stop()
      const failed = answers.filter(({ status }) => status !== 200)
      expect(failed.length).toBeGreaterThan(0)
      for (const answer of failed) expect(answer).toMatchObject(comeBack)
      // What ended with the connections it ran on is over: from here on nothing fails.
      expect(await Promise.all(Array.from({ length: 50 }, () => statusOf(url)))).toEqual(Array(50).fill(200))
    },
  )

  test('by connections that are ended one by one: only what ran on them fails', async () => {
    const url = await start('5s')
    const asking = keepAsking(url, 'items?select=id&limit=1')
    for (let round = 0; round < 20; round += 1) {
      await cluster.admin(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pando%' order by random() limit 1",
      )
    }
    const answers = await asking.stop()
    for (const answer of answers.filter(({ status }) => status !== 200)) expect(answer).toMatchObject(comeBack)
    await expect.poll(() => statusOf(url), patiently).toBe(200)
  })
})

test('a database without free connections: 503, and recovery by itself', async () => {
  const url = await start('3s')
  const hogs: Client[] = []
  while (await takeConnection(hogs));
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(url, 'items?select=id&limit=1')))
  for (const hog of hogs) await hog.end()
  expect(answers[0]).toMatchObject(comeBack)
  for (const answer of answers.filter(({ status }) => status !== 200)) expect(answer).toMatchObject(comeBack)
  await expect.poll(() => statusOf(url), patiently).toBe(200)
})

/** False when Postgres has no more. */
async function takeConnection(hogs: Client[]): Promise<boolean> {
  const hog = new Client({ connectionString: cluster.url })
  const isTaken = await hog.connect().then(
    () => true,
    () => false,
  )
  if (isTaken) hogs.push(hog)
  return isTaken
}

test('a database that stands still: 503 at the deadline, and recovery by itself', async () => {
  const url = await start('1s')
  await expect.poll(() => statusOf(url), patiently).toBe(200)
  const [file] = await cluster.admin("select pg_read_file('postmaster.pid') as text")
  const processes = await cluster.admin(
    "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
  )
  const pids = [Number.parseInt(String(file!['text']), 10), ...processes.map(({ pid }) => Number(pid))]
  const tellAll = (signal: NodeJS.Signals): void => pids.forEach((pid) => process.kill(pid, signal))
  tellAll('SIGSTOP')
  const answers = await Promise.all([
    ...Array.from({ length: 40 }, () => ask(url, 'items?select=id&limit=1')),
    ...Array.from({ length: 10 }, () => ask(url, 'rpc/nap_writing', write(0))),
  ]).finally(() => tellAll('SIGCONT'))
  for (const answer of answers) expect(answer).toMatchObject(comeBack)
  await expect.poll(() => statusOf(url), patiently).toBe(200)
})

describe('a database that is slow', () => {
  test.each([
    ['a read', `rpc/nap?seconds=${longSeconds}`, {}],
    ['a write', 'rpc/nap_writing', write(longSeconds)],
  ] as const)('%s ends at its deadline, and its statement with it', async (_name, path, init) => {
    const url = await start('1s')
    expect(await ask(url, path, init)).toMatchObject(comeBack)
    await expect.poll(() => statementsRunning('nap'), patiently).toBe(0)
    await expect.poll(() => statusOf(url), patiently).toBe(200)
  })

  test('who waits for a lock of somebody else ends at the deadline', async () => {
    const url = await start('1s')
    const other = new Client({ connectionString: cluster.url })
    await other.connect()
    await other.query('set role anon')
    await other.query("begin; update public.items set name = 'locked' where id = 1")
    const init = { ...write(0), method: 'PATCH', body: '{"name":"mine"}' }
    const answers = await Promise.all([1, 2, 3].map(() => ask(url, 'items?id=eq.1', init)))
    for (const answer of answers) expect(answer).toMatchObject(comeBack)
    await expect.poll(() => statusOf(url), patiently).toBe(200)
    await other.query('rollback')
    await other.end()
    await expect.poll(() => statementsRunning('update'), patiently).toBe(0)
  })

  /** What is quick has to have shown it, by an average as the node takes one; a starved machine needs more goes. */
  async function showQuick(url: string): Promise<void> {
    for (let averageMs = 100; averageMs > 4;) {
      const answer = await fetch(`${url}/rest/v1/items?select=id&limit=1`)
      await answer.text()
      const [, tookMs] = /transaction;dur=([\d.]+)/.exec(answer.headers.get('server-timing')!)!
      averageMs += (Math.min(Number(tookMs), 100) - averageMs) / 8
    }
  }

  test('more slow requests than connections: each ends at its deadline and quick ones are answered', async () => {
    const url = await start('4s')
    await showQuick(url)
    const slow = Array.from({ length: 40 }, () => ask(url, `rpc/nap?seconds=${longSeconds}`))
    const first = await Promise.race([
      Promise.all([statusOf(url), statusOf(url)]),
      Promise.any(slow).then(() => 'only after slow ones'),
    ])
    expect(first).toEqual([200, 200])
    for (const answer of await Promise.all(slow)) expect(answer).toMatchObject(comeBack)
    await expect.poll(() => statementsRunning('nap'), patiently).toBe(0)
  })
})

test.each([
  ['a read', `rpc/nap?seconds=${longSeconds}`, {}],
  ['a write', 'rpc/nap_writing', write(longSeconds)],
] as const)('a client that hangs up during %s takes its statement along', async (_name, path, init) => {
  const url = await start('60s')
  const hangUp = new AbortController()
  const asked = fetch(`${url}/rest/v1/${path}`, { ...init, signal: hangUp.signal }).catch(() => 'hung up')
  await expect.poll(() => statementsRunning('nap'), patiently).toBe(1)
  hangUp.abort()
  expect(await asked).toBe('hung up')
  await expect.poll(() => statementsRunning('nap'), patiently).toBe(0)
  expect(await statusOf(url)).toBe(200)
})

describe('a new picture of the schema', () => {
  test('never makes a request wait or fail, and shows a new column', async () => {
    const url = await start('5s')
    const asking = keepAsking(url, 'items?select=id&limit=1')
    for (let index = 0; index < 30; index += 1) {
      await cluster.admin(`alter table public.items add column c${index} int; notify pgrst`)
    }
    const statusOfNew = (): Promise<number> => ask(url, 'items?select=c29&limit=1').then(({ status }) => status)
    await expect.poll(statusOfNew, patiently).toBe(200)
    const answers = await asking.stop()
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(answers.length).toBeGreaterThan(30)
  })

  test('that waits for a migration leaves requests alone', async () => {
    const url = await start('5s')
    const migration = new Client({ connectionString: cluster.url })
    await migration.connect()
    await migration.query('set role anon; create table public.held (id int); notify pgrst')
    await expect.poll(() => ask(url, 'held').then(({ status }) => status), patiently).toBe(200)
    await migration.query('begin; drop table public.held')
    await cluster.admin('notify pgrst')
    expect(await Promise.all(Array.from({ length: 60 }, () => statusOf(url)))).toEqual(Array(60).fill(200))
    await migration.query('commit; notify pgrst')
    await migration.end()
    await expect.poll(() => ask(url, 'held').then(({ status }) => status), patiently).toBe(404)
  })
})
