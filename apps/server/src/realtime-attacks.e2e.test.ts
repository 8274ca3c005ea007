import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openPhoenix, type Phoenix, type Said } from './testing/phoenix.ts'
import { frameOf, opcodes, openRaw } from './testing/raw-socket.ts'
import { signUp } from './testing/second-factors.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const ann = crypto.randomUUID()
const ben = crypto.randomUUID()

const policies = `
  create policy "own" on realtime.messages to authenticated using (realtime.topic() = 'user:' || auth.uid());
  create table public.members (room text, person uuid);
  grant select on public.members to authenticated;
  create policy "members" on realtime.messages to authenticated using (
    exists (select from public.members where room = realtime.topic() and person = auth.uid()));
  create function public.fail() returns boolean language plpgsql as $$begin raise 'the secret is 42'; end$$;
  create policy "broken" on realtime.messages to authenticated
    using (case when realtime.topic() = 'broken' then public.fail() end);
`

let api: Api
let limited: Api
const clients: Phoenix[] = []

beforeAll(async () => {
  api = await startApi({ sql: policies, environment: { PANDO_JWT_ENDED_SESSIONS_INTERVAL: '100ms' } })
  limited = await startApi({
    beside: api,
    environment: {
      PANDO_SERVER_SERVICES: 'realtime',
      PANDO_REALTIME_SOCKETS_MAX: '3',
      PANDO_REALTIME_SOCKETS_PER_USER_MAX: '2',
      PANDO_REALTIME_CHANNELS_PER_SOCKET_MAX: '3',
      PANDO_REALTIME_JOINS_PER_SECOND_MAX: '5',
      PANDO_REALTIME_MESSAGES_PER_SECOND_MAX: '5',
      PANDO_REALTIME_MESSAGE_BYTES_MAX: '16kb',
      PANDO_REALTIME_JOIN_BYTES_MAX: '4kb',
      PANDO_REALTIME_CHANGES_PER_CHANNEL_MAX: '2',
      PANDO_REALTIME_PRESENCE_CALLS_MAX: '2',
      PANDO_REALTIME_PRESENCE_BYTES_MAX: '256b',
    },
  })
})
afterEach(async () => {
  const open = clients.splice(0)
  for (const client of open) client.close()
  await Promise.all(open.map(({ closed }) => closed))
})
afterAll(async () => {
  await limited?.stop()
  await api?.stop()
})

async function connect(to = api, apikey = api.keys.anonKey): Promise<Phoenix> {
  const client = await openPhoenix(to.url, { apikey })
  clients.push(client)
  return client
}

const tokenOf = (sub: string, claims: object = {}): Promise<string> => api.sign({ sub, ...claims })
const isBroadcast = ({ event }: Said): boolean => event === 'broadcast'
const isSystem = ({ event }: Said): boolean => event === 'system'
const senders = ({ heard }: Phoenix): unknown[] =>
  heard.filter(isBroadcast).map(({ payload }) => (payload['payload'] as { from: string }).from)
const privately = { private: true, broadcast: { ack: true } }
const refused = (reason: string | RegExp) => ({ status: 'error', response: { reason: expect.stringMatching(reason) } })
const ok = { status: 'ok' }

/** What the server said when it ended the channel. */
async function whyClosed(client: Phoenix): Promise<unknown> {
  await client.until(({ event }) => event === 'phx_close')
  return client.heard.find(isSystem)?.payload['message']
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Tokens that name Ben and that nobody here has given him. */
async function badTokens(): Promise<Record<string, [token: string, reason: RegExp]>> {
  const good = await tokenOf(ben)
  const [head, body, signature] = good.split('.') as [string, string, string]
  const claims = { sub: ben, role: 'authenticated', exp: Math.floor(Date.now() / 1000) + 600 }
  const none = encode({ alg: 'none', typ: 'JWT' })
  const signatureError = /^JwtSignatureError: /
  const malformed = /^MalformedJWT: /
  return {
    'no token at all': ['', malformed],
    'not of three parts': ['a.b', malformed],
    'parts that are no JSON': ['a.b.c', malformed],
    'without a signature': [`${head}.${body}.`, /^(JwtSignatureError|MalformedJWT): /],
    'with algorithm none': [`${none}.${encode(claims)}.`, /^(JwtSignatureError|MalformedJWT): /],
    'with algorithm none and a signature': [`${none}.${encode(claims)}.${signature}`, signatureError],
    'with the signature of other claims': [
      `${head}.${encode({ ...claims, role: 'service_role' })}.${signature}`,
      signatureError,
    ],
    'of another installation': [
      await signJwt(claims, hmacSigningKey('the secret of another installation altogether')),
      signatureError,
    ],
    'that names a file as its key': [
      `${encode({ alg: 'HS256', kid: '../../../dev/null' })}.${body}.${signature}`,
      signatureError,
    ],
    'that is over': [
      await tokenOf(ben, { exp: 1_700_000_000 }),
      /^InvalidJWTToken: Token has expired \d+ seconds ago$/,
    ],
    'that has no end': [await api.sign({ sub: ben, exp: undefined }), /^InvalidJWTToken: /],
    'of a role that the API does not have': [await tokenOf(ben, { role: 'postgres' }), /./],
  }
}

describe('a bad token', () => {
  test('joins nothing, private or public, and the socket goes on', async () => {
    const client = await connect()
    for (const [name, [token, reason]] of Object.entries(await badTokens())) {
      const answer = await client.join(`user:${ben}`, privately, token)
      expect(answer, `a token ${name}`).toEqual(refused(reason))
    }
    expect(await client.join('public')).toMatchObject(ok)
  })

  test('ends the channel that it is sent to, with the reason', async () => {
    for (const [name, [token]] of Object.entries(await badTokens())) {
      const client = await connect()
      await client.join(`user:${ben}`, privately, await tokenOf(ben))
      client.tell(`realtime:user:${ben}`, 'access_token', { access_token: token })
      expect(await whyClosed(client), `a token ${name}`).toEqual(expect.stringMatching(/./))
      expect(await client.ask(`realtime:user:${ben}`, 'broadcast')).toEqual(refused('^unmatched topic$'))
      client.close()
    }
  })

  test('of another type is none', async () => {
    const client = await connect()
    for (const token of [{}, [], 7, true, ['a.b.c'], { toString: 'a' }]) {
      const answer = await client.ask(`realtime:user:${ben}`, 'phx_join', { config: privately, access_token: token })
      expect(answer).toEqual(refused(/^Unauthorized: /))
    }
    await client.join(`user:${ann}`, privately, await tokenOf(ann))
    for (const token of [null, {}, [], 7]) client.tell(`realtime:user:${ann}`, 'access_token', { access_token: token })
    expect(await client.ask(`realtime:user:${ann}`, 'broadcast', { event: 'still here' })).toMatchObject(ok)
  })
})

describe("somebody else's private channel", () => {
  const forms = (topic: string): string[] => [
    topic,
    `realtime:${topic}`,
    topic.toUpperCase(),
    ` ${topic}`,
    `${topic} `,
    `${topic}\n`,
    `${topic}\0`,
    `\ufeff${topic}`,
    `${topic}\u200b`,
    topic.replace('user', 'uſer'),
    topic.replace('user', 'ｕｓｅｒ'),
    encodeURIComponent(topic),
    `user:${ann}/../${topic}`,
    `user:${ann}' or true --`,
    `${topic}\ud800`,
    '__proto__',
    'constructor',
    'x'.repeat(10_000),
    '%',
    '*',
    'null',
  ]

  test('is not joined under any form of its name', async () => {
    const stranger = await connect()
    const token = await tokenOf(ann)
    expect(await stranger.join(`user:${ann}`, privately, token)).toMatchObject(ok)
    for (const name of forms(`user:${ben}`))
      expect(await stranger.join(name, privately, token), JSON.stringify(name)).toEqual(
        refused(/^(Unauthorized: You do not have permissions|UnableToSetPolicies: )/),
      )
    expect(await stranger.join('', privately, token)).toEqual(refused(/^TopicNameRequired: /))
    for (const topic of ['realtime', 'Realtime:x', 'phoenix', '', `user:${ann}`, 'realtime;x'])
      expect(await stranger.ask(topic, 'phx_join', {}), topic).toEqual(refused('unmatched topic'))
  })

  test('is neither heard nor spoken in from public channels of its name, over sockets, over HTTP, from the database', async () => {
    const name = `user:${ben}`
    const [owner, own, stranger] = await Promise.all([connect(), connect(), connect()])
    await Promise.all([owner.join(name, privately, await tokenOf(ben)), own.join(name, privately, await tokenOf(ben))])
    for (const form of forms(name).filter((each) => each.length < 1_000))
      await stranger.join(form, {}, await tokenOf(ann))
    const headers = { apikey: api.keys.anonKey, authorization: `Bearer ${await tokenOf(ann)}` }
    const sendOver = (path: string, body: object) =>
      ask(`${api.url}/realtime/v1/api/broadcast${path}`, { headers, body })
    const batch = [
      { topic: name, event: 'e', payload: { from: 'a public batch' } },
      { topic: name, event: 'e', payload: { from: 'a private batch' }, private: true },
    ]
    stranger.tell(`realtime:${name}`, 'broadcast', { event: 'e', payload: { from: 'a public channel' }, private: true })
    expect(await sendOver('', { messages: batch })).toMatchObject({ status: 202 })
    expect(await sendOver('', { messages: [{ ...batch[1], private: 'true' }] })).toMatchObject({ status: 422 })
    const one = `/${encodeURIComponent(name)}/events/e`
    for (const query of ['?private=true', '?private=1', '?private=true&private=false', ''])
      expect(await sendOver(one + query, { from: `one${query}` })).toMatchObject({ status: 202 })
    const send = (isPrivate: boolean) =>
      api.database.query('select realtime.send($1, $2, $3, $4)', [
        { from: isPrivate ? 'private' : 'public' },
        'e',
        name,
        isPrivate,
      ])
    await send(false)
    await send(true)
    await owner.ask(`realtime:${name}`, 'broadcast', { event: 'e', payload: { from: 'the owner' } })
    const patiently = { timeout: 10_000 }
    await expect.poll(() => senders(own).toSorted(), patiently).toEqual(['private', 'the owner'])
    await expect.poll(() => senders(stranger), patiently).toContain('public')
    expect(senders(stranger)).not.toContain('private')
    expect(senders(stranger)).not.toContain('the owner')
  })

  test('is left at once with the token of somebody who may not be there; the last token counts', async () => {
    const client = await connect()
    const [mine, theirs] = [await tokenOf(ann), await tokenOf(ben)]
    await client.join(`user:${ann}`, privately, mine)
    client.tell(`realtime:user:${ann}`, 'access_token', { access_token: theirs })
    client.tell(`realtime:user:${ann}`, 'access_token', { access_token: await tokenOf(ann, { n: 2 }) })
    expect(await client.ask(`realtime:user:${ann}`, 'broadcast', { event: 'still here' })).toMatchObject(ok)
    client.tell(`realtime:user:${ann}`, 'access_token', { access_token: theirs })
    expect(await whyClosed(client)).toMatch(/You do not have permissions to read from this Channel topic/)
    const rejoined = await client.join(`user:${ann}`, privately, theirs)
    expect(rejoined).toEqual(refused(/^Unauthorized: /))
  })

  test('whose policy fails is refused, and what the policy raised is told to nobody', async () => {
    const client = await connect()
    const answer = await client.join('broken', privately, await tokenOf(ann))
    expect(answer).toEqual(refused(/^UnableToSetPolicies: /))
    expect(JSON.stringify(client.heard)).not.toContain('42')
  })
})

describe('a right that ends', () => {
  test('by the end of the token closes its channels and no others', async () => {
    const client = await connect()
    const seconds = Math.floor(Date.now() / 1000)
    await client.join(`user:${ann}`, privately, await tokenOf(ann, { exp: seconds + 2 }))
    await client.join('open', {})
    expect(await whyClosed(client)).toMatch(/^Token has expired \d+ seconds ago$/)
    expect(client.heard.filter(({ event }) => event === 'phx_close')).toMatchObject([{ topic: `realtime:user:${ann}` }])
  })

  test('by a row that a policy reads is over at the next token', async () => {
    await api.database.query(`insert into public.members values ('garden', $1)`, [ann])
    const client = await connect()
    expect(await client.join('garden', privately, await tokenOf(ann))).toMatchObject(ok)
    await api.database.query('delete from public.members')
    client.tell('realtime:garden', 'access_token', { access_token: await tokenOf(ann, { n: 2 }) })
    expect(await whyClosed(client)).toMatch(/permission.* to read from this Channel topic: garden/)
  })

  test('by the end of the session closes its channels, and nobody joins with it, by a token or by the socket', async () => {
    const { client: person, session, user } = await signUp(api)
    const token = session.access_token
    const [client, opened] = await Promise.all([connect(), connect(api, token)])
    expect(await client.join(`user:${user.id}`, privately, token)).toMatchObject(ok)
    expect(await opened.join(`user:${user.id}`, privately)).toMatchObject(ok)
    await person.auth.signOut({ scope: 'local' })
    expect(await whyClosed(client)).toBe('Session of the token has ended')
    expect(await whyClosed(opened)).toBe('Session of the token has ended')
    expect(await client.join(`user:${user.id}`, privately, token)).toEqual(refused(/^JwtSignatureError: /))
    expect(await opened.join(`user:${user.id}`, privately)).toEqual(refused(/^JwtSignatureError: /))
    await expect(openRaw(api.url, token)).rejects.toThrow('HTTP/1.1 401 ')
  })
})

describe('a limit is told in the words of the protocol:', () => {
  const many = (count: number, index = 0): number[] => Array.from({ length: count }, () => (index += 1))

  test('sockets of a node and of a person', async () => {
    const token = await tokenOf(ann)
    const sockets = await Promise.all([openRaw(limited.url, token), openRaw(limited.url, token)])
    await expect(openRaw(limited.url, token)).rejects.toThrow(/ 429 [^]*Too many connections of this user/)
    sockets.push(await openRaw(limited.url, api.keys.anonKey))
    await expect(openRaw(limited.url, api.keys.anonKey)).rejects.toThrow(/ 429 [^]*Too many connected users/)
    for (const { socket } of sockets) socket.destroy()
    await expect.poll(() => openRaw(limited.url, token).then(({ socket }) => socket.destroy())).toBeTruthy()
  })

  test('joins per second, and channels of a socket', async () => {
    const client = await connect(limited)
    const answers = await Promise.all(many(30).map((n) => client.join(`room ${n}`)))
    expect(answers).toContainEqual(refused('^ClientJoinRateLimitReached: Too many joins per second$'))
    const other = await connect(limited)
    await Promise.all(['a', 'b', 'c'].map((name) => other.join(name)))
    expect(await other.join('d')).toEqual(refused('^ChannelRateLimitReached: Too many channels$'))
    expect(await other.join('a')).toMatchObject(ok)
  })

  test('tokens of a socket per second', async () => {
    const client = await connect(limited)
    await client.join(`user:${ann}`, privately, await tokenOf(ann))
    for (const n of many(30))
      client.tell(`realtime:user:${ann}`, 'access_token', { access_token: await tokenOf(ann, { n }) })
    expect(await whyClosed(client)).toBe('Too many access tokens per second')
  })

  test('messages per second', async () => {
    const client = await connect(limited)
    await client.join('talk')
    for (const n of many(30)) client.tell('realtime:talk', 'broadcast', { event: 'e', payload: { n } })
    expect(await whyClosed(client)).toBe('Too many messages per second')
  })

  test('calls of presence, and what somebody may track, with the key', async () => {
    const client = await connect(limited)
    await client.join('calls')
    for (const n of many(3)) client.tell('realtime:calls', 'presence', { event: 'track', payload: { n } })
    expect(await whyClosed(client)).toBe('Client presence rate limit exceeded')
    for (const [key, size] of [
      ['k', 300],
      ['k'.repeat(300), 1],
    ] as const) {
      const large = await connect(limited)
      await large.join('large', { presence: { key } })
      large.tell('realtime:large', 'presence', { event: 'track', payload: { a: 'x'.repeat(size) } })
      expect(await whyClosed(large)).toBe('Track message size exceeded')
      large.close()
      await large.closed
    }
    const odd = await connect(limited)
    await odd.join('odd')
    expect(await odd.ask('realtime:odd', 'presence', { event: 'track', payload: [] })).toEqual(
      refused('^Presence track payload must be a map$'),
    )
  })

  test('the size of a join, its changes, and of any message', async () => {
    const client = await connect(limited)
    expect(await client.join('x'.repeat(5_000))).toEqual(refused('^InvalidJoinPayload: '))
    const changes = many(3).map(() => ({ event: '*', schema: 'public' }))
    expect(await client.join('changes', { postgres_changes: changes })).toEqual(refused('^InvalidJoinPayload: '))
    expect(await client.join('fits')).toMatchObject(ok)
    client.send(' '.repeat(20_000))
    expect(await client.closed).toBe(1009)
  })
})

describe('a page of another site', () => {
  const origin = 'Origin: https://evil.example'

  test('has nothing that speaks for its visitor: cookies count for nothing', async () => {
    const token = await tokenOf(ann)
    const cookie = `Cookie: apikey=${token}; sb-access-token=${token}; authorization=Bearer ${token}`
    const { socket, frames } = await openRaw(api.url, '', { headers: [origin, cookie] })
    const join = { config: privately }
    socket.write(frameOf(opcodes.text, JSON.stringify(['1', '1', `realtime:user:${ann}`, 'phx_join', join])))
    await expect.poll(frames).toHaveLength(1)
    expect(frames()[0]!.payload.toString()).toContain('Unauthorized: ')
    socket.destroy()
  })

  test('may connect with a key like everybody else, and with a wrong one not', async () => {
    const { socket } = await openRaw(api.url, api.keys.anonKey, { headers: [origin] })
    socket.destroy()
    await expect(openRaw(api.url, `${api.keys.anonKey}x`, { headers: [origin] })).rejects.toThrow('HTTP/1.1 401 ')
  })
})
