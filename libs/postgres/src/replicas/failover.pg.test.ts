import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase } from '../database.ts'
import { PostgresUnavailable } from '../errors.ts'
import { listen } from '../listen.ts'
import { cell, eventually, exchange, sql, within } from '../pipeline/test-cluster.ts'
import { startReplicatedCluster, type ReplicatedCluster, type TestServer } from '../testing/replicated-cluster.ts'
import type { ServersObservation } from './observation.ts'
import { callerOf, openHouse, rolesSql, type ReplicatedHouse } from '../testing/replicated-house.ts'

let cluster: ReplicatedCluster
let house: ReplicatedHouse

beforeAll(async () => {
  cluster = await startReplicatedCluster({
    replicas: 2,
    sql: `${rolesSql}
      create table entries (id int primary key);
      grant all on entries to anon;
      alter role anon set statement_timeout = '7s';`,
  })
  // An acknowledged write is on a replica too, so that a promotion loses none.
  for (const server of [cluster.primary, ...cluster.replicas]) {
    await server.query("alter system set synchronous_standby_names = 'ANY 1 (*)'")
    await server.query('select pg_reload_conf()')
  }
  house = await openHouse(cluster, { pools: { roleSettings: () => [['statement_timeout', '7s']] } })
})
afterAll(async () => {
  await house?.close()
  await cluster?.remove()
})

type Outcome = 'done' | 'undone' | 'unknown'

/** Writes entries, many at once, until told to stop; tells what came of each. */
function keepWriting(pools: ReplicatedHouse['pools']) {
  const outcomes = new Map<number, Outcome>()
  const stop = new AbortController()
  let lastId = Math.floor(performance.now() * 1_000)
  const work = async (worker: number): Promise<void> => {
    while (!stop.signal.aborted) {
      const id = ++lastId
      const insert = sql('insert into entries (id) values ($1)', String(id))
      const wanted = exchange(insert, { access: 'write', ...callerOf(`writer ${worker}`), ...within(2_000) })
      outcomes.set(id, await pools.run(wanted).then(() => 'done' as const, toOutcome))
      if (outcomes.get(id) !== 'done') await sleep(10)
    }
  }
  const workers = Array.from({ length: 12 }, (_, worker) => work(worker))
  const count = (outcome: Outcome) => [...outcomes.values()].filter((each) => each === outcome).length
  return {
    count,
    stop: async () => {
      stop.abort()
      await Promise.all(workers)
      return outcomes
    },
  }
}

/** Anything but an outage that says whether it was done is a mistake of ours. */
function toOutcome(error: unknown): Outcome {
  if (!(error instanceof PostgresUnavailable)) throw error
  return error.sent ? 'unknown' : 'undone'
}

/** Acknowledged entries that are lost, and refused ones that are there. */
async function listLies(primary: TestServer, outcomes: ReadonlyMap<number, Outcome>): Promise<unknown[]> {
  const present = new Set((await primary.query('select id from entries')).map(({ id }) => Number(id)))
  return [...outcomes].filter(([id, outcome]) => outcome !== 'unknown' && present.has(id) !== (outcome === 'done'))
}

const readBy = (caller: string) => cell(house.pools, exchange(sql('select pg_is_in_recovery()'), callerOf(caller)))

test('a primary that dies: reads go on, writes heal by themselves on the one that is promoted', async () => {
  const [first, second] = cluster.replicas as [TestServer, TestServer]
  const database = createDatabase({
    url: () => [cluster.primary, first, second][house.servers.primary()]!.url,
    applicationName: 'test',
  })
  const notices: string[] = []
  let reconnected = 0
  const listener = listen({
    url: () => [cluster.primary, first, second][house.servers.primary()]!.url,
    applicationName: 'test',
    channels: ['news'],
    onNotice: (_, payload) => notices.push(payload),
    onReconnected: () => reconnected++,
  })
  await listener.ready
  await database.query('select 1')
  await eventually(async () => (await readBy('reader')) === 't')
  const writing = keepWriting(house.pools)
  await eventually(() => writing.count('done') > 200)

  await cluster.primary.kill()
  await eventually(() => writing.count('undone') > 20)
  // Nobody takes writes now, and who wrote nothing reads on.
  for (let i = 0; i < 20; i++) expect(await readBy('reader')).toBe('t')
  await expect(database.query('select 1')).rejects.toMatchObject({ name: 'PostgresUnavailable' })

  await second.follow(first)
  await first.promote()
  const before = writing.count('done')
  await eventually(() => writing.count('done') > before + 200)
  const outcomes = await writing.stop()
  expect(await listLies(first, outcomes)).toEqual([])
  expect(house.observations).toContainEqual({ kind: 'primary.changed', server: first.name, timeline: 2 })

  // The rest of the house has moved along: role, settings and prepared statements are as before.
  const [row] = await database.query<{ recovery: boolean }>('select pg_is_in_recovery() as recovery')
  expect(row).toEqual({ recovery: false })
  await eventually(() => reconnected > 0)
  await database.query("select pg_notify('news', 'heard')")
  await eventually(() => notices.includes('heard'))
  const state = sql(`select concat_ws('|', current_user, current_setting('statement_timeout'), $1::text)`, 'again')
  const alone = { access: 'write', ...callerOf('somebody') } as const
  for (let i = 0; i < 3; i++) expect(await cell(house.pools, exchange(state, alone))).toBe('anon|7s|again')
  // The one replica that is left answers again when it has what is newer than the promotion.
  await eventually(async () => (await readBy('reader')) === 't')
  await listener.stop()
  await database.close()
})

test('an old primary that comes back is not written to, whether it is in recovery or not', async () => {
  const [first, second] = cluster.replicas as [TestServer, TestServer]
  // As it fell: on its old timeline, it believes that it is the primary.
  await cluster.primary.start()
  await cluster.primary.query('alter system set synchronous_standby_names = default')
  await cluster.primary.query('select pg_reload_conf()')
  const [left] = await cluster.primary.query('select count(*) as entries from entries')
  const isHeard = ({ kind, ...facts }: ServersObservation) =>
    kind === 'server.heard' && 'standby' in facts && facts.server === cluster.primary.name && !facts.standby
  await eventually(() => house.observations.filter(isHeard).length === 2)
  const writing = keepWriting(house.pools)
  await eventually(() => writing.count('done') > 200)
  const outcomes = await writing.stop()
  expect(new Set(outcomes.values())).toEqual(new Set(['done']))
  expect(await listLies(first, outcomes)).toEqual([])
  expect(await cluster.primary.query('select count(*) as entries from entries')).toEqual([left])
  await second.catchUp(first)
})

test('a planned change of the primary loses nothing, and the old one is a replica afterwards', async () => {
  const [first, second] = cluster.replicas as [TestServer, TestServer]
  const writing = keepWriting(house.pools)
  await eventually(() => writing.count('done') > 200)
  await first.stop()
  await second.promote()
  await first.follow(second)
  await first.start()
  const before = writing.count('done')
  await eventually(() => writing.count('done') > before + 200)
  const outcomes = await writing.stop()
  expect(await listLies(second, outcomes)).toEqual([])
  await first.catchUp(second)
  await eventually(async () => (await readBy('reader')) === 't')
})

test('a server in recovery is not taken for the primary, even where nobody looked before', async () => {
  const standby = cluster.replicas[0]!
  const database = createDatabase({ url: () => standby.url, applicationName: 'test' })
  await expect(database.query('select 1')).rejects.toThrow('is in recovery')
  await database.close()
})
