import { decodeJwt } from 'jose'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json, type Peer, type PeerAnswer, type PeerRequest, startPeer } from './testing/peer.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const password = 'correct horse battery'
const [oldSecret, newSecret] = ['whsec_b2xkIHNlY3JldCBvZiB0aGUgaG9vaw==', 'whsec_bmV3IHNlY3JldCBvZiB0aGUgaG9vaw==']

/** What the hook over HTTP says, by the name that a call carries; tests change it. */
const answers = new Map<string, (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>>()
const nameOf = ({ body }: PeerRequest): string => JSON.parse(body).metadata.name

let peer: Peer
let api: Api

const sql = `
  create schema hooks;
  grant usage on schema hooks to supabase_auth_admin;
  create table hooks.calls (id bigint generated always as identity, event jsonb);
  grant insert on hooks.calls to supabase_auth_admin;

  create function hooks.claims(event jsonb) returns jsonb language plpgsql as $$
  declare
    wish text := event -> 'claims' -> 'user_metadata' ->> 'wish';
  begin
    insert into hooks.calls (event) values (event);
    case wish
      when 'slow' then perform pg_sleep(5);
      when 'broken' then raise exception 'inner text that nobody should see';
      when 'refuse' then return '{"error": {"http_code": 403, "message": "Not today"}}';
      when 'no claims' then return '{}';
      when 'no role' then return jsonb_build_object('claims', (event -> 'claims') - 'role');
      else null;
    end case;
    return jsonb_build_object('claims', event -> 'claims' || jsonb_build_object(
      'plan', 'pro', 'method', event -> 'authentication_method',
      'session_is_there', exists (select from auth.sessions where id = (event -> 'claims' ->> 'session_id')::uuid)));
  end
  $$;

  create function hooks.password(event jsonb) returns jsonb language plpgsql as $$
  begin
    insert into hooks.calls (event) values (event);
    if (event ->> 'valid')::boolean then
      return '{"decision": "continue"}';
    end if;
    return '{"decision": "reject", "message": "Wrong, and noted", "should_logout_user": true}';
  end
  $$;`

beforeAll(async () => {
  peer = await startPeer((request) => answers.get(nameOf(request))?.(request) ?? json({}))
  api = await startApi({
    sql,
    environment: {
      PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
      PANDO_AUTH_EMAIL_FREQUENCY: '0s',
      PANDO_AUTH_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED: 'true',
      PANDO_AUTH_HOOK_CUSTOM_ACCESS_TOKEN_URI: 'pg-functions://postgres/hooks/claims',
      PANDO_AUTH_HOOK_PASSWORD_VERIFICATION_ATTEMPT_ENABLED: 'true',
      PANDO_AUTH_HOOK_PASSWORD_VERIFICATION_ATTEMPT_URI: 'pg-functions://postgres/hooks/password',
      ...overHttp('BEFORE_USER_CREATED'),
      ...overHttp('SEND_EMAIL'),
      ...overHttp('SEND_SMS'),
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await peer?.close()
})

const overHttp = (hook: string): Record<string, string> => ({
  [`PANDO_AUTH_HOOK_${hook}_ENABLED`]: 'true',
  [`PANDO_AUTH_HOOK_${hook}_URI`]: `${peer.url}/hook`,
  [`PANDO_AUTH_HOOK_${hook}_SECRETS`]: `v1,${newSecret}|v1,${oldSecret}`,
})

let people = 0
const newAddress = (): string => `hooked${++people}@example.com`
const signUp = (wish?: string) =>
  api.client().auth.signUp({ email: newAddress(), password, options: { data: wish === undefined ? {} : { wish } } })

const postAuth = (path: string, body: unknown) =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })

const lastCall = (name: string): PeerRequest => peer.requests.findLast((request) => nameOf(request) === name)!

test('the hook decides about claims, within the transaction of the sign-in, and again at each refresh', async () => {
  const client = api.client()
  const { data } = await client.auth.signUp({ email: newAddress(), password })
  expect(decodeJwt(data.session!.access_token)).toMatchObject({
    plan: 'pro',
    method: 'password',
    session_is_there: true,
    sub: data.user!.id,
  })
  const refreshed = await client.auth.refreshSession()
  expect(decodeJwt(refreshed.data.session!.access_token)).toMatchObject({ plan: 'pro', method: 'token_refresh' })
  const [call] = await api.database.query<{ event: unknown }>(
    `select event from hooks.calls where event ->> 'user_id' = $1 order by id limit 1`,
    [data.user!.id],
  )
  expect(call!.event).toMatchObject({
    metadata: {
      uuid: expect.any(String),
      time: expect.any(String),
      name: 'customize-access-token',
      ip_address: '127.0.0.1',
    },
    user_id: data.user!.id,
    claims: { sub: data.user!.id, aal: 'aal1', role: 'authenticated', is_anonymous: false },
    authentication_method: 'password',
  })
})

test('a hook that refuses, fails or leaves out what every token needs stops the sign-up, and nothing stays', async () => {
  const [before] = await countUsers()
  expect((await signUp('refuse')).error).toMatchObject({ status: 403, message: 'Not today' })
  expect((await signUp('no claims')).error).toMatchObject({ status: 500, message: 'output claims field is missing' })
  const noRole = await signUp('no role')
  expect(noRole.error?.message).toContain('output claims do not conform to the expected schema')
  expect(noRole.error?.message).toContain('role')
  const broken = await signUp('broken')
  expect(broken.error).toMatchObject({ message: 'Error running hook URI: pg-functions://postgres/hooks/claims' })
  expect(await countUsers()).toEqual([before])
})

test('a function that takes longer than two seconds is stopped', async () => {
  expect((await signUp('slow')).error).toMatchObject({ code: 'hook_timeout', status: 422 })
})

test('the hook hears of each password, may refuse it and sign the user out', async () => {
  const email = newAddress()
  const { data } = await api.client().auth.signUp({ email, password })
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
  const { error } = await api.client().auth.signInWithPassword({ email, password: 'wrong horse' })
  expect(error).toMatchObject({ code: 'invalid_credentials', message: 'Wrong, and noted' })
  const [sessions] = await api.database.query('select count(*)::int as count from auth.sessions where user_id = $1', [
    data.user!.id,
  ])
  expect(sessions).toEqual({ count: 0 })
  const calls = await api.database.query<{ event: { valid: boolean; metadata: unknown } }>(
    `select event from hooks.calls where event ->> 'user_id' = $1 and event ? 'valid' order by id`,
    [data.user!.id],
  )
  expect(calls.map(({ event }) => event.valid)).toEqual([true, false])
  expect(calls[0]!.event.metadata).toMatchObject({ name: 'password-verification' })
})

test('calls over HTTP are signed with every secret, so that one can replace another', async () => {
  expect((await signUp()).error).toBeNull()
  const { headers, body, method } = lastCall('before-user-created')
  expect(method).toBe('POST')
  expect(headers['content-type']).toBe('application/json')
  for (const secret of [oldSecret, newSecret]) {
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
      metadata: { name: 'before-user-created', ip_address: '127.0.0.1' },
      user: { aud: 'authenticated', app_metadata: { provider: 'email', providers: ['email'] }, is_anonymous: false },
    })
  }
  expect(() => new Webhook(newSecret).verify(`${body} `, headers as Record<string, string>)).toThrow(
    'No matching signature',
  )
})

test('the hook may refuse an account, by whichever way somebody asks for one', async () => {
  const [before] = await countUsers()
  answers.set('before-user-created', () => json({ error: { http_code: 400, message: 'Only members' } }))
  try {
    expect((await signUp()).error).toMatchObject({ status: 400, message: 'Only members' })
    expect((await api.client().auth.signInAnonymously()).error).toMatchObject({ message: 'Only members' })
    const { admin } = api.client(api.keys.serviceRoleKey).auth
    expect((await admin.createUser({ email: newAddress(), password })).error).toMatchObject({ message: 'Only members' })
  } finally {
    answers.delete('before-user-created')
  }
  expect(await countUsers()).toEqual([before])
})

test('the account that the hook hears of is the one that is made', async () => {
  const { data } = await signUp()
  expect(JSON.parse(lastCall('before-user-created').body).user.id).toBe(data.user!.id)
})

test('what a hook over HTTP may not answer is told as such', async () => {
  const wrong: [PeerAnswer, Record<string, unknown>][] = [
    [{ status: 200, body: '{}' }, { error_code: 'hook_payload_invalid_content_type' }],
    [
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' },
      {
        error_code: 'hook_payload_invalid_content_type',
        msg: 'Invalid JSON response. Received content-type: text/html',
      },
    ],
    [
      { status: 200, headers: { 'content-type': 'application/json' }, body: ' '.repeat(210_000) },
      { error_code: 'hook_payload_over_size_limit', msg: 'Payload size exceeded size limit of 204800 bytes' },
    ],
    [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{' },
      { msg: 'Error unmarshaling JSON output.' },
    ],
    [{ status: 400 }, { msg: 'Invalid payload sent to hook' }],
    [{ status: 401 }, { msg: 'Hook requires authorization token' }],
    [{ status: 302, headers: { location: '/elsewhere' } }, { msg: 'Unexpected status code returned from hook: 302' }],
    [{ status: 503 }, { msg: 'Service currently unavailable due to hook' }],
  ]
  for (const [answer, told] of wrong) {
    answers.set('before-user-created', () => answer)
    expect((await postAuth('/signup', { email: newAddress(), password })).body).toMatchObject(told)
  }
  answers.set('before-user-created', () => ({ status: 204 }))
  expect((await signUp()).error).toBeNull()
  answers.delete('before-user-created')
})

test('a hook that asks for a moment is asked again, as the same message', async () => {
  let calls = 0
  answers.set('before-user-created', () => (++calls < 3 ? { status: 503, headers: { 'retry-after': '0' } } : json({})))
  expect((await signUp()).error).toBeNull()
  answers.delete('before-user-created')
  const ids = peer.requests.slice(-3).map(({ headers }) => headers['webhook-id'])
  expect(calls).toBe(3)
  expect(new Set(ids).size).toBe(1)
})

test('a hook that never says yes is given up', async () => {
  answers.set('before-user-created', () => ({ status: 429, headers: { 'retry-after': '0' } }))
  const refused = await postAuth('/signup', { email: newAddress(), password })
  answers.delete('before-user-created')
  expect(refused).toMatchObject({ status: 500, body: { msg: 'Service currently unavailable due to hook' } })
})

async function countUsers() {
  return api.database.query<{ count: number }>('select count(*)::int as count from auth.users')
}
