// `npm run bench -- realtime [--quick] [--only idle,broadcast,…]`: sockets, against Socket.IO and Parse's LiveQuery.
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { benchFolder, claims, processPeer, readyLine, startNode } from '../peer.ts'
import { startParseServer } from '../peers.ts'
import { describeRun } from '../report.ts'
import { copyProject, createDatabase, type Pando, removeProject, startPando } from '../start-pando.ts'
import { workloads } from '../workloads.ts'
import type { CrowdReport } from './crowd.ts'
import { type Crowd, startCrowd } from './start-crowd.ts'

const names = ['idle', 'broadcast', 'same claims', 'own claims', 'changes', 'live query']
const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: names.join(',') } },
})
const asked = new Set(flags.only.split(','))
const seconds = flags.quick ? 3 : 10
const idleSockets = flags.quick ? 5_000 : 19_000
const members = 1_000
const subscribers = flags.quick ? 1_000 : 5_000

// Limits that keep one client from what is measured here.
Object.assign(process.env, {
  PANDO_HTTP_CONNECTIONS_MAX: '25000',
  PANDO_REALTIME_SOCKETS_PER_USER_MAX: '25000',
  PANDO_REALTIME_MESSAGES_PER_SECOND_MAX: '1000000',
})

/** What a socket is told that is in. */
const joined = '"phx_reply",{"status":"ok"'
const subscribed = 'Subscribed to PostgreSQL'
const joinChanges =
  '["1","1","realtime:readings {n}","phx_join",{"access_token":"{token}","config":{"postgres_changes":[{"event":"INSERT","schema":"public","table":"readings"}]}}]'

const found: Record<string, unknown> = {}
const project = copyProject()
const pando = await startPando(project)
const owner = new pg.Client(pando.databaseUrl)
await owner.connect()
await owner.query('alter publication supabase_realtime add table public.readings')
const crowds = [startCrowd(), startCrowd()] as const
try {
  if (asked.has('idle')) await tell('idle', measureIdle())
  if (asked.has('broadcast')) {
    await tell('broadcast', measureBroadcast(crowds[0], pandoRoom(pando)))
    await tell('broadcast, Socket.IO', measureSocketIo(crowds[1]))
  }
  const one = [pando.sign(claims)]
  const many = Array.from({ length: members }, () => pando.sign({ ...claims, sub: crypto.randomUUID() }))
  if (asked.has('same claims'))
    await tell('same claims', measureChanges(one, { count: subscribers, perSecond: 2, rows: 1 }))
  if (asked.has('own claims'))
    await tell('own claims', measureChanges(many, { count: members, perSecond: 20, rows: 1 }))
  if (asked.has('changes')) await tell('changes', measureChanges(one, { count: 1, perSecond: 50, rows: 100 }))
  if (asked.has('live query')) await tell('live query', measureLiveQueries())
  const report = { ...(await describeRun(pando.databaseUrl, { seconds } as never)), ...found }
  mkdirSync(`${benchFolder}results`, { recursive: true })
  writeFileSync(`${benchFolder}results/realtime.json`, `${JSON.stringify(report, null, 2)}\n`)
} finally {
  for (const crowd of crowds) crowd.stop()
  await owner.end()
  await pando.stop()
  removeProject(project)
}

async function tell(name: string, measured: Promise<object>): Promise<void> {
  found[name] = await measured
  console.log(
    name.padEnd(22),
    JSON.stringify(found[name], (_key, value) => (typeof value === 'number' ? +value.toFixed(2) : value)),
  )
}

function addressOf({ url, anonKey }: Pando): { port: number; path: string } {
  return { port: Number(new URL(url).port), path: `/realtime/v1/websocket?vsn=2.0.0&apikey=${anonKey}` }
}

/** Sockets that have joined a channel and are quiet. */
async function measureIdle(): Promise<object> {
  await sleep(3_000)
  const beforeMb = pando.rssMb()
  const each = { ...addressOf(pando), count: idleSockets / crowds.length }
  const greeting = { hello: ['["1","1","realtime:idle {n}","phx_join",{"config":{}}]'], welcome: joined }
  const opened = await Promise.all(crowds.map((crowd) => crowd.open(each)))
  const greeted = await Promise.all(crowds.map((crowd) => crowd.greet(greeting)))
  await sleep(5_000)
  const kbEach = ((pando.rssMb() - beforeMb) * 1024) / idleSockets
  await Promise.all(crowds.map((crowd) => crowd.close()))
  const perSecond = (parts: readonly { readonly seconds: number }[]): number =>
    idleSockets / Math.max(...parts.map(({ seconds: took }) => took))
  return { sockets: idleSockets, kbEach, handshakesPerSecond: perSecond(opened), joinsPerSecond: perSecond(greeted) }
}

type Room = {
  readonly port: number
  readonly path: string
  readonly hello: readonly string[]
  readonly say: string
  readonly heard: string
  readonly welcome: string
}

function pandoRoom(of: Pando): Room {
  return {
    ...addressOf(of),
    hello: ['["1","1","realtime:room","phx_join",{"config":{"broadcast":{"self":true}}}]'],
    say: '["1","2","realtime:room","broadcast",{"event":"e","payload":{"at":{at},"text":"on my way, five minutes"},"type":"broadcast"}]',
    heard: '"realtime:room","broadcast"',
    welcome: joined,
  }
}

/** One says something, a thousand hear it: as fast as it goes, and 50,000 deliveries a second. */
async function measureBroadcast(crowd: Crowd, { port, path, hello, say, heard, welcome }: Room): Promise<object> {
  await crowd.open({ port, path, count: members })
  await crowd.greet({ hello, welcome })
  await crowd.count(heard)
  await crowd.send({ text: say, perSecond: 0, seconds })
  const most = await crowd.report()
  await sleep(1_000)
  await crowd.count(heard)
  await crowd.send({ text: say, perSecond: 50_000 / members, seconds })
  await sleep(500)
  const { p50Ms, p99Ms, messages } = await crowd.report()
  await crowd.close()
  return { deliveriesPerSecond: most.messages / most.seconds, at50000: { p50Ms, p99Ms, delivered: messages } }
}

async function measureSocketIo(crowd: Crowd): Promise<object> {
  const child = startNode('socket-io.ts', {})
  const { port } = (await readyLine(child)) as { port: number }
  const { stop } = processPeer('socket.io', child)
  const result = await measureBroadcast(crowd, {
    port,
    path: '/socket.io/?EIO=4&transport=websocket',
    hello: ['40'],
    say: '42["say",{"at":{at},"text":"on my way, five minutes"}]',
    heard: '42["heard"',
    welcome: 'welcome',
  })
  await stop()
  return result
}

type Writing = { readonly count: number; readonly perSecond: number; readonly rows: number }

/** Rows are written, and people hear of them under a row policy; how often Postgres was asked about policies meanwhile. */
async function measureChanges(tokens: readonly string[], { count, perSecond, rows }: Writing): Promise<object> {
  const [crowd] = crowds
  await crowd.open({ ...addressOf(pando), count })
  await crowd.greet({ tokens, hello: [joinChanges], welcome: subscribed })
  const checksBefore = await countChecks()
  await crowd.count('"postgres_changes"')
  const text = 'insert into public.readings (owner, device, value) select $1, n, 0 from generate_series(1, $2::int) n'
  const subject = (token: string): string =>
    (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string }).sub
  for (let done = 0; done < perSecond * seconds; done += 1) {
    const dueMs = performance.now() + 1000 / perSecond
    await owner.query(text, [subject(tokens[done % tokens.length]!), rows])
    await sleep(Math.max(0, dueMs - performance.now()))
  }
  await sleep(1_000)
  const { messages, p50Ms, p99Ms } = await crowd.report()
  const checks = (await countChecks()) - checksBefore
  await crowd.close()
  const written = perSecond * seconds * rows
  return { subscribers: count, written, messages, checks, p50Ms, p99Ms }
}

async function countChecks(): Promise<number> {
  const { rows } = await owner.query<{ calls: string }>(
    "select coalesce(sum(calls), 0) as calls from pg_stat_statements where query like '%realtime.check_changes(%'",
  )
  return Number(rows[0]!.calls)
}

/** Rows are written over HTTP, one after the other, and a thousand hear of each. */
async function measureLiveQueries(): Promise<object> {
  const parse = await startParseServer(await createDatabase(pando.tcpUrl, 'parse'))
  const { base, headers = {} } = parse.target(workloads[0]!)!
  const [crowd] = crowds
  const write = async (url: string, init: { headers: Record<string, string>; body: string }): Promise<void> => {
    const endMs = performance.now() + seconds * 1000
    while (performance.now() < endMs) {
      const answer = await fetch(url, { method: 'POST', ...init })
      if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
      await answer.text()
    }
    await sleep(500)
  }
  const rate = ({ messages, seconds: took, p99Ms }: CrowdReport): object => ({ perSecond: messages / took, p99Ms })

  await crowd.open({ ...addressOf(pando), count: members })
  await crowd.greet({ tokens: [pando.sign(claims)], hello: [joinChanges], welcome: subscribed })
  await crowd.count('"postgres_changes"')
  const insert = pando.toTarget({ method: 'POST', path: '/readings' })
  await write(`${insert.base}/readings`, {
    headers: { ...insert.headers, 'content-type': 'application/json' },
    body: '{"device":1,"value":0.5}',
  })
  const own = await crowd.report()
  await crowd.close()

  await crowd.open({ port: Number(new URL(base).port), path: '/', count: members })
  await crowd.greet({
    hello: [
      '{"op":"connect","applicationId":"bench"}',
      '{"op":"subscribe","requestId":1,"query":{"className":"Reading","where":{}}}',
    ],
    welcome: '"op":"subscribed"',
  })
  await crowd.count('"op":"create"')
  await write(`${base}/classes/Reading`, {
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{"device":1,"value":0.5}',
  })
  const theirs = await crowd.report()
  await crowd.close()
  await parse.stop()
  return { pando: rate(own), 'parse-server': rate(theirs) }
}
