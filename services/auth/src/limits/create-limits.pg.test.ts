import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { Refusal } from '@pando/core/refusal'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLimits } from './create-limits.ts'
import type { Attempt, Limits, Rate } from './limits.ts'

let database: TestDatabase
let pool: Database
let limits: Limits
let statements = 0
let monotonicMs = 0

beforeAll(async () => {
  database = await createTestDatabase()
  pool = createDatabase({ url: database.urlAs('supabase_auth_admin'), applicationName: 'test' })
  const counted: Database = {
    ...pool,
    query: (text, values) => {
      statements += 1
      return pool.query(text, values)
    },
  }
  limits = createLimits({
    database: counted,
    clock: { now: () => 0, monotonic: () => monotonicMs },
    pepper: Buffer.alloc(32, 7),
    options: { failuresFree: 3, failuresMax: 20 },
    onCleanupFailed: (error) => {
      throw error
    },
  })
})

afterAll(async () => {
  await pool?.close()
  await database?.close()
})

const rate = (name: string, count: number, periodMs = 3_600_000): Rate => ({
  name,
  count,
  periodMs,
  refuse: (retryAfterS) => new Refusal(name, 429, name, { headers: { 'Retry-After': String(retryAfterS) } }),
})

const isTaken = (taking: Promise<void>): Promise<boolean> =>
  taking.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Refusal) return false
      throw error
    },
  )

test('a token is taken from all buckets or from none', async () => {
  const wide = { rate: rate('wide', 3), subject: 'a' }
  const narrow = { rate: rate('narrow', 1), subject: 'a' }
  expect(await isTaken(limits.take([wide, narrow]))).toBe(true)
  await expect(limits.take([wide, narrow])).rejects.toMatchObject({ code: 'narrow' })
  await expect(limits.take([narrow, wide])).rejects.toMatchObject({ code: 'narrow' })
  const left = await Promise.all([1, 2, 3].map(() => isTaken(limits.take([wide]))))
  expect(left.filter(Boolean).length).toBe(2)
})

test('of 50 at once, with buckets in any order, exactly as many pass as the smallest has', async () => {
  const [left, right] = [
    { rate: rate('left', 5), subject: 'b' },
    { rate: rate('right', 30), subject: 'b' },
  ]
  const taken = await Promise.all(
    Array.from({ length: 50 }, (_, index) => isTaken(limits.take(index % 2 === 0 ? [left, right] : [right, left]))),
  )
  expect(taken.filter(Boolean).length).toBe(5)
})

test('the last token of an uneven rate is there', async () => {
  const seventh = { rate: rate('seventh', 7, 300_000), subject: 'c' }
  for (let index = 0; index < 7; index++) await limits.take([seventh])
  await expect(limits.take([seventh])).rejects.toMatchObject({
    headers: { 'Retry-After': expect.stringMatching(/^4[23]$/) },
  })
})

test('tokens come back one by one', async () => {
  const bucket = { rate: rate('returning', 2), subject: 'd' }
  await limits.take([bucket])
  await limits.take([bucket])
  expect(await isTaken(limits.take([bucket]))).toBe(false)
  await database.query(`update auth.rate_limits set full_at = full_at - interval '30 minutes'`)
  monotonicMs += 5_000
  expect(await isTaken(limits.take([bucket]))).toBe(true)
  expect(await isTaken(limits.take([bucket]))).toBe(false)
})

test('asking whether there is a token takes none', async () => {
  const bucket = { rate: rate('asked', 1), subject: 'e' }
  for (let index = 0; index < 3; index++) await limits.take([{ ...bucket, cost: 0 }])
  await limits.take([bucket])
  expect(await isTaken(limits.take([{ ...bucket, cost: 0 }]))).toBe(false)
})

test('a rate of nothing lets nobody pass, and needs no question', async () => {
  const before = statements
  expect(await isTaken(limits.take([{ rate: rate('none', 0), subject: 'f' }]))).toBe(false)
  expect(statements).toBe(before)
})

test('who was refused is refused for a moment without a question', async () => {
  const bucket = { rate: rate('remembered', 1), subject: 'g' }
  await limits.take([bucket])
  expect(await isTaken(limits.take([bucket]))).toBe(false)
  const before = statements
  for (let index = 0; index < 100; index++) expect(await isTaken(limits.take([bucket]))).toBe(false)
  expect(statements).toBe(before)
  monotonicMs += 5_000
  expect(await isTaken(limits.take([bucket]))).toBe(false)
  expect(statements).toBe(before + 1)
})

test('each failure after the free ones waits twice as long, and a success begins anew', async () => {
  const attempt: Attempt = { secret: 'password', account: 'h', address: '203.0.113.1' }
  const waits: number[] = []
  for (let index = 0; index < 8; index++) {
    await limits.begin(attempt)
    const [row] = await database.query<{ seconds: number }>(
      `select round(extract(epoch from max(retry_at) - max(tried_at)))::int as seconds from auth.failed_attempts
      where retry_at > '-infinity'`,
    )
    waits.push(row!.seconds)
    await database.query(`update auth.failed_attempts set retry_at = now()`)
  }
  expect(waits).toEqual([0, 0, 1, 2, 4, 8, 16, 32])
  await limits.end(pool, attempt)
  for (let index = 0; index < 3; index++) await limits.begin(attempt)
  await database.query(`update auth.failed_attempts set retry_at = retry_at + interval '1 hour'`)
  await expect(limits.begin(attempt)).rejects.toMatchObject({ code: 'over_request_rate_limit' })
})

test('a sign-in finds the account and counts the attempt as one of it, whatever its address, in one statement', async () => {
  const id = randomUUID()
  await database.query(`insert into auth.users (id, email, phone) values ($1, 'known@example.com', '49151000')`, [id])
  const attempt: Attempt = { secret: 'password', account: id, address: '203.0.113.1' }
  const before = statements
  expect(await limits.beginSignIn({ email: 'known@example.com' }, attempt.address)).toMatchObject({ id })
  expect(statements).toBe(before + 1)
  expect(await limits.beginSignIn({ phone: '49151000' }, attempt.address)).toMatchObject({ id })
  await limits.begin(attempt)
  await expect(limits.beginSignIn({ email: 'known@example.com' }, attempt.address)).rejects.toMatchObject({
    code: 'over_request_rate_limit',
  })
  await limits.end(pool, attempt)
  monotonicMs += 5_000
  expect(await limits.beginSignIn({ email: 'known@example.com' }, attempt.address)).toMatchObject({ id })
})

test('an address without an account waits like one with', async () => {
  const key = { email: 'nobody@example.com' }
  for (let index = 0; index < 3; index++) expect(await limits.beginSignIn(key, '203.0.113.1')).toBeUndefined()
  await expect(limits.beginSignIn(key, '203.0.113.1')).rejects.toMatchObject({ code: 'over_request_rate_limit' })
  expect(await limits.beginSignIn({ email: 'nobody.else@example.com' }, '203.0.113.1')).toBeUndefined()
})

test('half of the failures are for unknown networks, half for known ones, and all together are never more', async () => {
  const at = (address: string): Attempt => ({ secret: 'password', account: 'i', address })
  const homes = ['203.0.113.10', '203.0.113.11']
  for (const home of homes) {
    await limits.begin(at(home))
    await limits.end(pool, at(home))
  }
  let failures = 0
  for (let index = 0; index < 60; index++) {
    const address = index % 3 === 0 ? `198.51.100.${index}` : homes[index % 2]!
    if (await isTaken(limits.begin(at(address)))) failures += 1
    await database.query(`update auth.failed_attempts set retry_at = '-infinity'`)
    monotonicMs += 5_000
  }
  expect(failures).toBe(20)
  await limits.forget(pool, { secret: 'password', account: 'i' })
  expect(await isTaken(limits.begin(at(homes[0]!)))).toBe(true)
})

test('rows that say nothing any more are removed', async () => {
  await limits.take([{ rate: rate('old', 1), subject: 'j' }])
  await database.query(`update auth.rate_limits set full_at = now() - interval '1 second'`)
  await database.query(`update auth.failed_attempts set tried_at = now() - interval '31 days'`)
  await limits.begin({ secret: 'factor', account: 'k', address: '203.0.113.1' })
  monotonicMs += 600_000
  await limits.take([{ rate: rate('new', 1), subject: 'j' }])
  await expect
    .poll(async () => {
      const text = `select (select count(*) from auth.rate_limits)::int as buckets,
        (select count(*) from auth.failed_attempts)::int as attempts`
      return (await database.query(text))[0]
    })
    .toEqual({ buckets: 1, attempts: 1 })
})
