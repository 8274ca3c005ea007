import { createDatabase, type Database } from '@pando/postgres/database'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

const password = 'correct horse battery'
const environment = {
  PANDO_HTTP_TRUST_PROXY: 'true',
  PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'true',
  PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
  PANDO_AUTH_RATE_LIMIT_SIGN_IN_SIGN_UPS: '5',
  PANDO_AUTH_RATE_LIMIT_TOKEN_REFRESH: '7',
  PANDO_AUTH_RATE_LIMIT_ANONYMOUS_USERS: '2',
  PANDO_AUTH_RATE_LIMIT_TOKEN_VERIFICATIONS: '4',
  PANDO_AUTH_RATE_LIMIT_WEB3: '3',
  PANDO_AUTH_RATE_LIMIT_EMAIL_PER_ADDRESS: '2',
  PANDO_AUTH_EMAIL_FREQUENCY: '0s',
  PANDO_AUTH_FAILURES_FREE: '3',
  PANDO_AUTH_FAILURES_MAX: '12',
}

let api: Api
let second: Api
let limitsOwner: Database

beforeAll(async () => {
  api = await startApi({ sql: '', environment })
  second = await startApi({ beside: api, environment })
  await api.database.run(longWaits)
  limitsOwner = createDatabase({ url: api.database.urlAs('supabase_auth_admin'), applicationName: 'test' })
})

afterAll(async () => {
  await limitsOwner?.close()
  await second?.stop()
  await api?.stop()
})

/** A slow machine must not outlast the wait after a wrong password. */
const longWaits = `
  create function public.wait_long() returns trigger language plpgsql as $$
  begin
    if new.failures >= 3 then
      new.retry_at := new.retry_at + interval '1 hour';
    end if;
    return new;
  end
  $$;
  create trigger wait_long before update on auth.failed_attempts for each row execute function public.wait_long();`

let hosts = 0
const newNetwork = (): string => `203.0.113.${++hosts}`

type Asked = { readonly from: string; readonly body?: unknown; readonly node?: Api; readonly key?: string }

const post = (path: string, { from, body = {}, node = api, key = node.keys.anonKey }: Asked) =>
  ask(`${node.url}/auth/v1${path}`, { body, headers: { apikey: key, 'x-forwarded-for': from } })

let guesses = 0
/** Always at another account: what is counted is the network alone. */
const newGuess = () => ({ email: `nobody${++guesses}@example.com`, password: 'wrong' })
const signIn = (from: string, body: unknown = newGuess(), node = api) =>
  post('/token?grant_type=password', { from, body, node })

const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status)
const count = (answers: readonly { status: number }[], status: number) =>
  answers.filter((answer) => answer.status === status).length

async function makeUser(): Promise<{ id: string; email: string }> {
  const email = `limited${++hosts}@example.com`
  const { auth } = api.client(api.keys.serviceRoleKey)
  const { data } = await auth.admin.createUser({ email, password, email_confirm: true })
  return { id: data.user!.id, email }
}

test('a network has so many sign-ins, then it is told when to come back', async () => {
  const from = newNetwork()
  const answers = []
  for (let index = 0; index < 6; index++) answers.push(await signIn(from))
  expect(statuses(answers)).toEqual([400, 400, 400, 400, 400, 429])
  const { body, headers } = answers[5]!
  expect(body).toEqual({ code: 429, error_code: 'over_request_rate_limit', msg: 'Request rate limit reached' })
  const retryAfter = Number(headers.get('retry-after'))
  expect(retryAfter).toBeGreaterThan(0)
  expect(retryAfter).toBeLessThanOrEqual(60)
  expect((await signIn(newNetwork())).status).toBe(400)
})

test('of 50 requests at once on two nodes exactly as many pass as the limit says', async () => {
  const from = newNetwork()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => signIn(from, newGuess(), index % 2 === 0 ? api : second)),
  )
  expect(count(answers, 400)).toBe(5)
  expect(count(answers, 429)).toBe(45)
})

test('the count of 50 at once is not by luck: reading first and writing then lets more than the limit pass', async () => {
  await api.database.run('create table auth.naive_limits (key text primary key, taken integer not null)')
  await api.database.run('grant all on auth.naive_limits to supabase_auth_admin')
  await api.database.query(`insert into auth.naive_limits values ('network', 0)`)
  const takeNaively = async (): Promise<boolean> => {
    const [row] = await limitsOwner.query<{ taken: number }>('select taken from auth.naive_limits')
    if (row!.taken >= 5) return false
    await limitsOwner.query('update auth.naive_limits set taken = $1', [row!.taken + 1])
    return true
  }
  const passed = await Promise.all(Array.from({ length: 50 }, takeNaively))
  expect(passed.filter(Boolean).length).toBeGreaterThan(5)
})

test('all spellings of a path and of an address are one', async () => {
  const from = newNetwork()
  const paths = ['/token', '//token', '/TOKEN', '/%74oken', '/./token', '/x/%2e%2e/token', '/token/', '/token;x']
  const codes = []
  for (const path of [...paths, ...paths]) codes.push(await askRaw(`/auth/v1${path}?grant_type=password`, from))
  expect(codes.filter((code) => code === 'invalid_credentials').length).toBeLessThanOrEqual(5)
  while ((await signIn(from)).status === 400);
  for (const path of paths)
    expect(await askRaw(`/auth/v1${path}?grant_type=password`, from)).not.toBe('invalid_credentials')
  expect((await signIn(`::ffff:${from}`)).status).toBe(429)
})

/** The code of the answer to a path that no client has tidied up. */
async function askRaw(path: string, from: string): Promise<unknown> {
  const { hostname, port } = new URL(api.url)
  const headers = { apikey: api.keys.anonKey, 'x-forwarded-for': from }
  const asked = request({ hostname, port, path, method: 'POST', headers })
  asked.end(JSON.stringify(newGuess()))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return (JSON.parse(await text(answer)) as { error_code?: unknown }).error_code
}

test('an IPv6 network is one, however many addresses it has', async () => {
  const answers = []
  for (let host = 1; host <= 6; host++) answers.push(await signIn(`2001:db8:7:1::${host}`))
  expect(statuses(answers)).toEqual([400, 400, 400, 400, 400, 429])
  expect((await signIn('2001:db8:7:2::1')).status).toBe(400)
})

test('without a trusted proxy no header changes who somebody is', async () => {
  const direct = await startApi({ beside: api, environment: { ...environment, PANDO_HTTP_TRUST_PROXY: 'false' } })
  try {
    const answers = []
    for (let index = 0; index < 6; index++) {
      answers.push(await signIn(newNetwork(), newGuess(), direct))
    }
    expect(count(answers, 429)).toBe(1)
  } finally {
    await direct.stop()
  }
})

test.each(['1', '127.0.0.0/8', 'loopback'])(
  'what a client writes before its proxy does changes nothing (%s)',
  async (trust) => {
    const node = await startApi({ beside: api, environment: { ...environment, PANDO_HTTP_TRUST_PROXY: trust } })
    try {
      const client = newNetwork()
      const answers = []
      for (let index = 0; index < 6; index++) answers.push(await signIn(`${newNetwork()}, ${client}`, newGuess(), node))
      expect(statuses(answers)).toEqual([400, 400, 400, 400, 400, 429])
      expect((await signIn(`${client}, ${newNetwork()}`, newGuess(), node)).status).toBe(400)
    } finally {
      await node.stop()
    }
  },
)

test('returns from providers, and sign-ins that are switched off, have limits of their own', async () => {
  const from = newNetwork()
  const comeBack = (method: 'GET' | 'POST') =>
    ask(`${api.url}/auth/v1/callback?state=guessed&code=guessed`, { method, headers: { 'x-forwarded-for': from } })
  const returns = []
  for (const method of ['GET', 'POST', 'GET', 'POST', 'GET'] as const) returns.push(await comeBack(method))
  expect(statuses(returns)).toEqual([302, 302, 302, 302, 429])
  const wallets = []
  for (let index = 0; index < 4; index++) wallets.push(await post('/token?grant_type=web3', { from }))
  expect(statuses(wallets)).toEqual([422, 422, 422, 429])
  expect((await signIn(from)).status).toBe(400)
})

test('a session can be ended many times, and not without end', async () => {
  const { email } = await makeUser()
  const { body } = await signIn(newNetwork(), { email, password })
  const { access_token } = body as { access_token: string }
  const answers = []
  for (let index = 0; index < 8; index++) {
    answers.push(
      await ask(`${api.url}/auth/v1/logout?scope=others`, {
        method: 'POST',
        headers: { apikey: api.keys.anonKey, authorization: `Bearer ${access_token}`, 'x-forwarded-for': newNetwork() },
      }),
    )
  }
  expect(statuses(answers)).toEqual([204, 204, 204, 204, 204, 204, 204, 429])
})

test('refreshes and anonymous users have limits of their own', async () => {
  const from = newNetwork()
  const made = await Promise.all(Array.from({ length: 3 }, () => post('/signup', { from })))
  expect(count(made, 200)).toBe(2)
  const { refresh_token } = made.find(({ status }) => status === 200)!.body as { refresh_token: string }
  const refreshes = await Promise.all(
    Array.from({ length: 10 }, () => post('/token?grant_type=refresh_token', { from, body: { refresh_token } })),
  )
  expect(count(refreshes, 200)).toBe(7)
  expect(count(refreshes, 429)).toBe(3)
})

test('a key of the installation is not limited', async () => {
  const from = newNetwork()
  const key = api.keys.serviceRoleKey
  for (let index = 0; index < 8; index++) {
    expect((await post('/token?grant_type=password', { from, key, body: newGuess() })).status).toBe(400)
  }
})

test('wrong passwords of one account wait, from wherever they come and known or not', async () => {
  const { email } = await makeUser()
  for (const address of [email, 'unknown@example.com']) {
    const answers = []
    for (let index = 0; index < 5; index++)
      answers.push(await signIn(newNetwork(), { email: address, password: 'wrong' }))
    expect(statuses(answers)).toEqual([400, 400, 400, 429, 429])
    expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(0)
  }
})

test('of 50 guesses at once no more are tried than are free', async () => {
  const { email } = await makeUser()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      signIn(newNetwork(), { email, password: 'wrong' }, index % 2 === 0 ? api : second),
    ),
  )
  expect(count(answers, 400)).toBe(3)
})

test('who guesses does not lock out the owner where the owner has been before', async () => {
  const { email } = await makeUser()
  const home = newNetwork()
  expect((await signIn(home, { email, password })).status).toBe(200)
  for (let index = 0; index < 5; index++) await signIn(newNetwork(), { email, password: 'wrong' })
  expect((await signIn(newNetwork(), { email, password })).status).toBe(429)
  expect((await signIn(home, { email, password })).status).toBe(200)
})

test('after too many wrong passwords none is taken until there is a new one', async () => {
  const { id, email } = await makeUser()
  let tried = 0
  for (let index = 0; index < 20; index++) {
    if ((await signIn(newNetwork(), { email, password: 'wrong' })).status === 400) tried += 1
    await api.database.query(`update auth.failed_attempts set retry_at = '-infinity'`)
  }
  expect(tried).toBe(6)
  const refused = await signIn(newNetwork(), { email, password })
  expect(refused).toMatchObject({ status: 429, body: { error_code: 'over_request_rate_limit' } })
  await api.client(api.keys.serviceRoleKey).auth.admin.updateUserById(id, { password: 'a new one for them' })
  expect((await signIn(newNetwork(), { email, password: 'a new one for them' })).status).toBe(200)
})

test('mails to one address are counted whether it has an account or not', async () => {
  const { email } = await makeUser()
  for (const address of [email, 'unknown2@example.com']) {
    const answers = []
    for (let index = 0; index < 3; index++) {
      answers.push(await post('/recover', { from: newNetwork(), body: { email: address.toUpperCase() } }))
    }
    expect(statuses(answers)).toEqual([200, 200, 429])
    expect(answers[2]!.body).toMatchObject({ error_code: 'over_email_send_rate_limit' })
  }
})

test('when Postgres cannot count, nobody passes', async () => {
  const from = newNetwork()
  const holder = createDatabase({ url: api.database.url, applicationName: 'test', connectionsMax: 1 })
  try {
    const held = await holder.transaction(async (tx) => {
      await tx.query('lock table auth.rate_limits in access exclusive mode')
      return signIn(from)
    })
    expect(held).toMatchObject({ status: 503, body: { error_code: 'unexpected_failure' } })
    expect(held.headers.get('retry-after')).toBe('1')
    expect((await signIn(from)).status).toBe(400)
  } finally {
    await holder.close()
  }
})

test('the tables tell no addresses, and nobody but the service reads them', async () => {
  await signIn(newNetwork())
  const rows = await api.database.query<{ key: Buffer }>('select key from auth.rate_limits')
  expect(rows.every(({ key }) => key.length === 32)).toBe(true)
  const [grants] = await api.database.query<{ any: boolean }>(
    `select bool_or(has_table_privilege(r, t, 'select')) as any
    from unnest(array['anon', 'authenticated', 'service_role']) r, unnest(array['auth.rate_limits', 'auth.failed_attempts']) t`,
  )
  expect(grants!.any).toBe(false)
})
