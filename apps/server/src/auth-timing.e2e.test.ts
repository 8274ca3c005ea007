import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

/**
 * Pairs of requests that are compared, and the z-score from which two sets of times are held to differ (p < 0.0001).
 */
const pairs = 40
const zMax = 4

const password = 'correct horse battery'
let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: { PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true', PANDO_AUTH_EMAIL_FREQUENCY: '0' },
  })
  const { auth } = api.client(api.keys.serviceRoleKey)
  const { data } = await auth.admin.createUser({ email: 'model@example.com', password, email_confirm: true })
  await api.database.query(copies, [data.user!.id, pairs * 5])
})

/** More accounts like the first one, so that none is asked for twice: tries of one account are limited. */
const copies = `
  with copy as (
    insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
      raw_user_meta_data, created_at, updated_at)
    select gen_random_uuid(), aud, role, 'known' || n || '@example.com', encrypted_password, now(), raw_app_meta_data,
      raw_user_meta_data, now(), now()
    from auth.users, generate_series(1, $2) n
    where id = $1
    returning id, email
  )
  insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
  select id, id, jsonb_build_object('sub', id, 'email', email, 'email_verified', true), 'email', now(), now() from copy`

afterAll(() => api?.stop())

let knowns = 0
const newKnown = (): string => `known${++knowns}@example.com`
let strangers = 0
const newStranger = (): string => `stranger${++strangers}@example.com`

type Sample = { readonly tookMs: number; readonly status: number; readonly shape: string }

async function sample(path: string, body: { readonly email: string }): Promise<Sample> {
  const startMs = performance.now()
  const answer = await ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })
  return { tookMs: performance.now() - startMs, status: answer.status, shape: shapeOf(answer.body) }
}

/** The names of all members at any depth. */
function shapeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value
  if (Array.isArray(value)) return `[${value.map(shapeOf).join()}]`
  const members = Object.entries(value).map(([name, member]) => `${name}:${shapeOf(member)}`)
  return `{${members.sort().join()}}`
}

/** One after the other in turn, so that a noisy moment hits both. */
async function compare(path: string, bodies: { left(): { email: string }; right(): { email: string } }) {
  const left: Sample[] = []
  const right: Sample[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    left.push(await sample(path, bodies.left()))
    right.push(await sample(path, bodies.right()))
  }
  return { left, right, z: rankSum(left.map(toTime), right.map(toTime)) }
}

const toTime = ({ tookMs }: Sample): number => tookMs

/**
 * How far the ranks of two sets are from what chance makes of equal ones, in standard deviations (Mann and Whitney's
 * U).
 */
function rankSum(left: readonly number[], right: readonly number[]): number {
  const wins = left.reduce((sum, one) => sum + right.filter((other) => one > other).length, 0)
  const expected = (left.length * right.length) / 2
  const deviation = Math.sqrt((left.length * right.length * (left.length + right.length + 1)) / 12)
  return Math.abs(wins - expected) / deviation
}

const ways = [
  ['signing in', '/token?grant_type=password', { password: 'wrong horse battery' }],
  ['recovering', '/recover', {}],
  ['asking for a code', '/otp', {}],
  ['signing up', '/signup', { password }],
] as const

test.each(ways)('%s tells nobody who has an account: body, status and time are the same', async (_name, path, rest) => {
  const { left, right, z } = await compare(path, {
    left: () => ({ email: newKnown(), ...rest }),
    right: () => ({ email: newStranger(), ...rest }),
  })
  expect(new Set(left.map(({ status }) => status))).toEqual(new Set(right.map(({ status }) => status)))
  expect(new Set(left.map(({ shape }) => shape))).toEqual(new Set(right.map(({ shape }) => shape)))
  expect(z).toBeLessThan(zMax)
})

test('a way that answers sooner for some is found', async () => {
  const { z } = await compare('/token?grant_type=password', {
    left: () => ({ email: newKnown(), password: 'wrong horse battery' }),
    right: () => ({ email: 'no address', password: 'wrong horse battery' }),
  })
  expect(z).toBeGreaterThan(zMax)
})
