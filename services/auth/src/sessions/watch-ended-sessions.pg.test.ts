import { systemClock } from '@pando/core/clock'
import { createDatabase, type Database, type Queries } from '@pando/postgres/database'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createSweep } from './sweep-ended-sessions.ts'
import { type EndedSessionsDeps, watchEndedSessions } from './watch-ended-sessions.ts'

let server: TestDatabase
/** As the role of a node that verifies tokens. */
let database: Database
const servicesFolder = path.join(import.meta.dirname, '../../../../services')
const endings: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  server = await createTestDatabase()
  database = createDatabase({ url: server.apiUrl, applicationName: 'the watch', connectionsMax: 1 })
})
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})
afterAll(async () => {
  await database.close()
  await server.close()
})

/** A watch whose pauses last until `turn` is called; when that resolves, Postgres has been asked once more. */
async function start(limits: Partial<EndedSessionsDeps['limits']> = {}, queries: Queries = database) {
  const facts = { reached: [] as (string | undefined)[], forgotten: 0, told: [] as string[] }
  let pause = Promise.withResolvers<void>()
  let paused = Promise.withResolvers<void>()
  const watch = watchEndedSessions({
    database: queries,
    clock: systemClock,
    limits: { sessionsMax: 1000, intervalMs: 1, ...limits },
    onReach: (failure) => void facts.reached.push(failure && (failure.error as Error).name),
    onForgotten: (count) => void (facts.forgotten += count),
    sleep: async (_ms, signal) => {
      pause = Promise.withResolvers()
      signal.addEventListener('abort', () => pause.reject(signal.reason))
      paused.resolve()
      await pause.promise
    },
  })
  watch.onEnded((id) => void facts.told.push(id))
  await watch.start()
  await paused.promise
  endings.push(watch.stop)
  const turn = async (): Promise<void> => {
    paused = Promise.withResolvers()
    pause.resolve()
    await paused.promise
  }
  return { watch, facts, turn }
}

async function newUser(): Promise<string> {
  const id = randomUUID()
  await server.query('insert into auth.users (id) values ($1)', [id])
  return id
}

async function newSessions(count: number, user?: string): Promise<string[]> {
  const userId = user ?? (await newUser())
  const rows = await server.query<{ id: string }>(
    `insert into auth.sessions (id, user_id, created_at)
    select gen_random_uuid(), $1, now() from generate_series(1, $2::int) returning id`,
    [userId, count],
  )
  return rows.map(({ id }) => id)
}

const end = (ids: readonly string[]) => server.query('delete from auth.sessions where id = any($1)', [ids])

test.each<[string, string]>([
  ['a session that is deleted', 'delete from auth.sessions where user_id = $1'],
  ['a user who is deleted', 'delete from auth.users where id = $1'],
  ['a user who is banned', `update auth.users set banned_until = now() + interval '1 hour' where id = $1`],
  ['a session whose time is set to be over', 'update auth.sessions set not_after = now() where user_id = $1'],
])('SQL ends sessions: %s', async (_, sql) => {
  const { watch, turn } = await start()
  const user = await newUser()
  const [one, two] = await newSessions(2, user)
  const [other] = await newSessions(1)
  await turn()
  expect([watch.has(one!), watch.has(two!)]).toEqual([false, false])
  // As somebody who owns a migration, not as the superuser.
  const owner = createDatabase({ url: server.urlAs('postgres'), applicationName: 'test', connectionsMax: 1 })
  endings.push(owner.close)
  await owner.query(sql, [user])
  await turn()
  expect([watch.has(one!), watch.has(two!), watch.has(other!)]).toEqual([true, true, false])
})

test('a table that is emptied ends all sessions', async () => {
  const { watch, turn } = await start()
  const ids = await newSessions(3)
  await server.run('truncate auth.sessions cascade')
  await turn()
  expect(ids.filter(watch.has)).toEqual(ids)
})

test('a ban that is over, a later end and a refresh end nothing', async () => {
  const { watch, turn } = await start()
  const user = await newUser()
  const [id] = await newSessions(1, user)
  await server.query(`update auth.users set banned_until = now() - interval '1 hour' where id = $1`, [user])
  await server.query(`update auth.sessions set not_after = now() + interval '1 hour' where id = $1`, [id])
  await server.query(`update auth.sessions set refreshed_at = now() where id = $1`, [id])
  await turn()
  expect(watch.has(id!)).toBe(false)
})

test('a session that falls to a lower level goes on, and can still end in the same transaction', async () => {
  const { watch, facts, turn } = await start()
  const [lowered, both, raised] = await newSessions(3)
  const told = () => facts.told.filter((id) => [lowered, both, raised].includes(id)).toSorted()
  const raise = `update auth.sessions set aal = 'aal2' where id = any($1)`
  const lower = `update auth.sessions set aal = 'aal1' where id = any($1)`
  await server.query(raise, [[lowered, both, raised]])
  await turn()
  expect(told()).toEqual([])
  await server.query(lower, [[lowered]])
  await server.run(
    `begin; ${lower.replace('$1', `'{${both}}'`)}; delete from auth.sessions where id = '${both}'; commit`,
  )
  await turn()
  expect([lowered!, both!, raised!].map(watch.has)).toEqual([false, true, false])
  expect([lowered!, both!, raised!].map(watch.loweredAt)).toEqual([expect.any(Number), undefined, undefined])
  expect(told()).toEqual([lowered!, both!].toSorted())
  await end([lowered!])
  await turn()
  expect([watch.has(lowered!), watch.loweredAt(lowered!)]).toEqual([true, undefined])
})

test('what is undone has not ended', async () => {
  const { watch, turn } = await start()
  const ids = await newSessions(1)
  await server.run(`begin; delete from auth.sessions where id = '${ids[0]}'; rollback`)
  await turn()
  expect(watch.has(ids[0]!)).toBe(false)
})

test('a transaction that ends sessions and stays open while later ones commit is not missed', async () => {
  const { watch, turn } = await start()
  const [slow, quick] = await newSessions(2)
  const slowly = createDatabase({ url: server.url, applicationName: 'test', connectionsMax: 1 })
  endings.push(slowly.close)
  await slowly.transaction(async (tx) => {
    await tx.query('delete from auth.sessions where id = $1', [slow])
    await end([quick!])
    await turn()
    expect([watch.has(slow!), watch.has(quick!)]).toEqual([false, true])
    await turn()
  })
  await turn()
  expect(watch.has(slow!)).toBe(true)
})

test('more than a page at once, also of one transaction, arrives whole and each once', async () => {
  const { watch, facts, turn } = await start({ rowsMax: 3 })
  const ids = await newSessions(8)
  await end(ids.slice(0, 1))
  await end(ids.slice(1))
  await turn()
  await turn()
  expect(ids.filter(watch.has)).toEqual(ids)
  expect(facts.told.filter((id) => ids.includes(id)).toSorted()).toEqual(ids.toSorted())
})

test('a node that starts later knows what ended before', async () => {
  const ids = await newSessions(2)
  await end(ids)
  const { watch } = await start()
  expect(ids.filter(watch.has)).toEqual(ids)
})

test('no more are remembered than there is room for', async () => {
  const { watch, facts, turn } = await start({ sessionsMax: 5 })
  const before = facts.forgotten
  const ids = await newSessions(9)
  await end(ids)
  await turn()
  expect([watch.size(), ids.filter(watch.has).length]).toEqual([5, 5])
  expect(facts.forgotten).toBeGreaterThan(before)
})

test('a connection that was ended is made again, and nothing is missed', async () => {
  const { watch, turn } = await start()
  const ids = await newSessions(1)
  await server.run(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'the watch'`)
  await end(ids)
  await expect.poll(() => turn().then(() => watch.has(ids[0]!))).toBe(true)
})

test('a database that cannot answer is told of once, as is its return, and what was missed is learnt', async () => {
  const { watch, facts, turn } = await start()
  const ids = await newSessions(1)
  await server.run('alter function auth.list_ended_and_lowered_sessions rename to away')
  await end(ids)
  await turn()
  await turn()
  expect([facts.reached, watch.has(ids[0]!)]).toEqual([['PostgresError'], false])
  await server.run('alter function auth.away rename to list_ended_and_lowered_sessions')
  await turn()
  expect([facts.reached, watch.has(ids[0]!)]).toEqual([['PostgresError', undefined], true])
})

test('a database that was down has told everything soon after it is back', async () => {
  const folder = await makeTemporaryFolder('pando-ended-')
  const startPostgres = () => startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })
  let postgres = await startPostgres()
  const admin = createDatabase({ url: postgres.url, applicationName: 'test', connectionsMax: 2 })
  endings.push(
    admin.close,
    () => postgres.stop(),
    () => rm(folder, { recursive: true }),
  )
  await ensureConventions({ url: postgres.url, folders: await listConventionFolders(servicesFolder) })
  const { watch, facts, turn } = await start({}, admin)
  const [user, session] = [randomUUID(), randomUUID()]
  await admin.query('insert into auth.users (id) values ($1)', [user])
  await admin.query('insert into auth.sessions (id, user_id) values ($1, $2)', [session, user])
  await admin.query('delete from auth.users where id = $1', [user])
  await postgres.stop()
  await turn()
  expect([facts.reached, watch.has(session)]).toEqual([['PostgresUnavailable'], false])
  postgres = await startPostgres()
  await expect.poll(() => turn().then(() => watch.has(session))).toBe(true)
  expect(facts.reached).toEqual(['PostgresUnavailable', undefined])
})

test('another database in the place of the first, with lower numbers, is read from the start', async () => {
  const { watch, turn } = await start()
  const ids = await newSessions(1)
  // What the node knows looks as if it came from a database that is further along.
  await server.run(`
    alter function auth.list_ended_and_lowered_sessions rename to real_list;
    create function auth.list_ended_and_lowered_sessions(
      seen pg_snapshot, behind_by xid8, behind_id uuid, rows_max integer,
      out now_seen pg_snapshot, out oldest double precision, out last_by xid8,
      out session_ids uuid[], out ended_at double precision[]
    ) language sql as $$
      select '9000000000:9000000000:'::pg_snapshot, 0::float8, null::xid8, '{}'::uuid[], '{}'::float8[]
    $$;`)
  await turn()
  await end(ids)
  await server.run(`
    drop function auth.list_ended_and_lowered_sessions;
    alter function auth.real_list rename to list_ended_and_lowered_sessions`)
  await turn()
  expect(watch.has(ids[0]!)).toBe(true)
})

test('lines go when no token can be out, and nodes forget with them', async () => {
  const [old, young] = await newSessions(2)
  await end([old!])
  await server.run(`update auth.ended_sessions set ended_at = now() - interval '2 hours'`)
  await end([young!])
  const { watch, turn } = await start()
  expect([watch.has(old!), watch.has(young!)]).toEqual([true, true])
  const { sweep } = createSweep({ database: server, tokenMsMax: 3_600_000, onFailed: () => undefined })
  await sweep()
  await turn()
  expect([watch.has(old!), watch.has(young!)]).toEqual([false, true])
})

test('a node may read the list and nothing else', async () => {
  const attempts = [
    'select * from auth.ended_sessions',
    'select * from auth.sessions',
    'delete from auth.ended_sessions',
  ]
  for (const sql of attempts) await expect(database.query(sql)).rejects.toMatchObject({ fields: { code: '42501' } })
  for (const role of ['anon', 'authenticated', 'service_role'])
    await expect(
      database.withClient(async (client) => {
        await client.query(`set role ${role}`)
        try {
          await client.query(`select auth.list_ended_and_lowered_sessions('1:1:', '0', gen_random_uuid(), 1)`)
        } finally {
          await client.query('reset role')
        }
      }),
    ).rejects.toMatchObject({ fields: { code: '42501' } })
})
