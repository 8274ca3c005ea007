import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunExchange } from '../exchange.ts'
import { cell, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

/*
 * The invariant: whatever an earlier exchange did, an exchange starts from the session as it was opened, runs as its
 * own role and sees no claims but its own. `reset all` at its head undoes settings, the role is asserted, and what
 * happens to other settings that Postgres reports costs the connection.
 */

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.admin(`
    create table log (entry text); grant all on log to anon, authenticated, service_role;
    create function public.leak(name text, value text) returns text language sql volatile
      as $$ select set_config(name, value, false) $$;
    create function public.leak_late() returns trigger language plpgsql
      as $$ begin perform set_config('request.jwt.claims', 'late', false); return null; end $$;
    create constraint trigger late after insert on log deferrable initially deferred
      for each row when (new.entry = 'late') execute function public.leak_late();`)
})
afterAll(() => cluster.remove())

const limits = { sharedConnectionsMax: 2, aloneConnectionsMax: 2, writeConnectionsMax: 2 }
const whoami = sql(`select current_user || '|' || coalesce(current_setting('request.jwt.claims', true), '')`)
const roles = ['anon', 'authenticated', 'service_role']

/** Mulberry32: a random run that can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * Sends exchanges of random roles, claims and fates, many at a time, and counts those that saw a role or claims that
 * were not theirs.
 */
async function countLeaks(run: RunExchange, count: number, seed: number): Promise<{ leaks: number; seen: number }> {
  const random = createRandom(seed)
  let leaks = 0
  let seen = 0
  let left = count
  const caller = async () => {
    while (left-- > 0) {
      const role = roles[Math.floor(random() * roles.length)]!
      const claims = random() < 0.2 ? '' : `{"sub":"${left}"}`
      const settings = claims === '' ? [] : [['request.jwt.claims', claims] as const]
      const access = random() < 0.3 ? 'write' : 'read'
      const fate = random()
      const statements = [whoami]
      if (fate < 0.1) statements.push(sql('select 1 / $1::int', '0'))
      else if (fate < 0.2) statements.push(sql(`select public.leak('request.jwt.claims', $1)`, `leaked by ${left}`))
      else if (fate < 0.25) statements.push(sql(`select public.leak('role', $1)`, roles[left % 3]!))
      else if (fate < 0.28) statements.push(sql('select pg_sleep(1)'))
      else if (fate < 0.3) statements.unshift(sql('select nothing'))
      const abort = new AbortController()
      const hangsUp = fate > 0.97
      if (hangsUp) setTimeout(() => abort.abort(), random() * 10)
      const limit = fate >= 0.25 && fate < 0.28 ? within(20 + random() * 30) : {}
      const wanted = exchange(statements, {
        role,
        access,
        settings,
        signal: hangsUp ? abort.signal : undefined,
        ...limit,
      })
      const results = await run(wanted).catch(() => undefined)
      if (results === undefined) continue
      seen++
      if (results[0]!.rows[0]![0]!.toString() !== `${role}|${claims}`) leaks++
    }
  }
  await Promise.all(Array.from({ length: 24 }, caller))
  return { leaks, seen }
}

test('claims and roles never reach the next exchange on a connection, in thousands of random interleavings', async () => {
  const pools = cluster.pools({ limits })
  for (const seed of [1, 2, 3]) {
    const { leaks, seen } = await countLeaks(pools.run, 2_000, seed)
    expect(seen).toBeGreaterThan(1_000)
    expect(leaks).toBe(0)
  }
})

test('the same holds without sessions of our own', async () => {
  const pools = cluster.pools({ mode: 'transactional', limits: { connectionsMax: 4 } })
  // Transactions of others cannot be cleaned behind a pooler: claims are asserted by those who use them.
  const run: RunExchange = (wanted) =>
    pools.run({ ...wanted, settings: [['request.jwt.claims', ''], ...(wanted.settings ?? [])] })
  expect(await countLeaks(run, 1_500, 4)).toMatchObject({ leaks: 0 })
})

test('the check finds claims that are set for the session', async () => {
  const client = new Client({ connectionString: cluster.url })
  await client.connect()
  let last: Promise<unknown> = Promise.resolve()
  const leaky: RunExchange = (wanted) => {
    const answer = last.then(async () => {
      for (const setting of [...(wanted.settings ?? []), ['role', wanted.role] as const]) {
        await client.query('select set_config($1, $2, false)', [...setting])
      }
      const results = []
      for (const { text, params } of wanted.statements) {
        if (text.includes('pg_sleep')) continue
        const { rows } = await client.query({ text, values: params as string[], rowMode: 'array' })
        results.push({ rows: rows.map((row: unknown[]) => row.map((value) => Buffer.from(String(value)))), tag: '' })
      }
      return results
    })
    last = answer.catch(() => {})
    return answer
  }
  const { leaks } = await countLeaks(leaky, 300, 5)
  await client.end()
  expect(leaks).toBeGreaterThan(10)
})

test.each(['read', 'write'] as const)('what a function sets for the session is gone in the next %s', async (access) => {
  const pools = cluster.pools({ limits: { sharedConnectionsMax: 1, aloneConnectionsMax: 1, writeConnectionsMax: 1 } })
  const show = (name: string) =>
    cell(pools, exchange(sql('select coalesce(current_setting($1, true), $2)', name, ''), { access }))
  const names = [
    'request.jwt.claims',
    'request.jwt.claim.sub',
    'app.tenant',
    'row_security',
    'search_path',
    'TimeZone',
    'work_mem',
  ]
  const before = await Promise.all(names.map(show))
  const values = ['leaked', 'leaked', 'leaked', 'off', 'pg_temp', 'Asia/Tokyo', '77MB']
  for (let round = 0; round < 5; round++) {
    for (const [i, name] of names.entries()) {
      const leak = exchange(sql('select public.leak($1, $2)', name, values[i]!), { access })
      expect(await cell(pools, leak)).toBe(values[i])
    }
    expect(await Promise.all(names.map(show))).toEqual(before)
  }
})

test('a role that a function takes for the session is not the role of the next exchange', async () => {
  const pools = cluster.pools({ limits: { sharedConnectionsMax: 1, aloneConnectionsMax: 1, writeConnectionsMax: 1 } })
  for (const access of ['read', 'write'] as const) {
    for (let i = 0; i < 5; i++) {
      await pools.run(exchange(sql(`select public.leak('role', 'service_role')`), { access }))
      expect(await cell(pools, exchange(whoami, { access }))).toBe('anon|')
      await pools.run(exchange(sql('reset role'), { access }))
      expect(await cell(pools, exchange(whoami, { access }))).toBe('anon|')
    }
  }
})

test('not even what a deferred trigger sets at the very end of an exchange is left', async () => {
  const pools = cluster.pools({ limits: { writeConnectionsMax: 1 } })
  await pools.run(exchange(sql(`insert into log values ('late')`), { access: 'write' }))
  expect(await cell(pools, exchange(whoami, { access: 'write' }))).toBe('anon|')
})
