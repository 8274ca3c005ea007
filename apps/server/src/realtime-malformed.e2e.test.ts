import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { frameOf, openRaw, opcodes, type RawSocket } from './testing/raw-socket.ts'
import { randomFrames } from './testing/random-frames.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const isLong = process.env['PANDO_TEST_LONG'] === '1'
const framesMax = isLong ? 1_000_000 : 100_000
const messageBytesMax = 256 * 1024
const queueBytesMax = 128 * 1024
const { binary, close, continuation, ping, pong, text } = opcodes

let api: Api
let witness: Phoenix
let speaker: Phoenix
const canary = Object.getOwnPropertyNames(Object.prototype)

beforeAll(async () => {
  const unlimited = '1000000'
  api = await startApi({
    sql: 'select',
    environment: {
      PANDO_GATEWAY_METRICS_PUBLIC: 'true',
      PANDO_REALTIME_MESSAGE_BYTES_MAX: `${messageBytesMax}b`,
      PANDO_REALTIME_QUEUE_BYTES_MAX: `${queueBytesMax}b`,
      PANDO_REALTIME_MESSAGES_PER_SECOND_MAX: unlimited,
      PANDO_REALTIME_JOINS_PER_SECOND_MAX: unlimited,
      PANDO_REALTIME_PRESENCE_CALLS_MAX: unlimited,
      // The witnesses only listen, however long it takes.
      PANDO_REALTIME_HEARTBEAT_TIMEOUT: '1h',
    },
  })
  ;[witness, speaker] = await Promise.all([connect(), connect()])
  await Promise.all([witness.join('witness'), speaker.join('witness')])
})

afterAll(() => api?.stop())

const connect = (): Promise<Phoenix> => openPhoenix(api.url, { apikey: api.keys.anonKey })
const raw = (options?: { reads: boolean }): Promise<RawSocket> => openRaw(api.url, api.keys.anonKey, options)

let words = 0

/** What one says another hears. */
async function mustGoOn(): Promise<void> {
  const word = (words += 1)
  speaker.tell('realtime:witness', 'broadcast', { event: 'word', payload: word })
  await witness.until(({ event, payload }) => event === 'broadcast' && payload['payload'] === word)
}

async function metric(name: string): Promise<number> {
  const { text: lines } = await ask(`${api.url}/metrics`)
  const line = lines.split('\n').find((each) => each.startsWith(name))
  return Number(line?.split(' ').at(-1))
}

const heartbeat = '[null,"7","phoenix","heartbeat",{}]'

describe('a frame that breaks the protocol ends its socket, with the code that says why:', () => {
  const fragment = frameOf(continuation, 'x', { isFinal: false })
  const breaches: Record<string, [number, ...Buffer[]]> = {
    'without a mask': [1002, frameOf(text, heartbeat, { isMasked: false })],
    'of a kind that does not exist': [1002, frameOf(3, 'x')],
    'of a control kind that does not exist': [1002, frameOf(11, 'x')],
    'compressed, though nobody asked': [1002, frameOf(text, heartbeat, { reserved: 4 })],
    'with reserved bits': [1002, frameOf(text, heartbeat, { reserved: 1 })],
    'a ping of 126 bytes': [1002, frameOf(ping, Buffer.alloc(126))],
    'half a ping': [1002, frameOf(ping, 'x', { isFinal: false })],
    'a continuation of nothing': [1002, frameOf(continuation, 'x')],
    'a text within a text': [1002, frameOf(text, 'x', { isFinal: false }), frameOf(text, 'y')],
    'a close of one byte': [1002, frameOf(close, 'x')],
    'a close with a code that nobody may send': [1002, frameOf(close, Buffer.from([0x03, 0xee]))],
    'a close whose reason is no UTF-8': [1007, frameOf(close, Buffer.from([0x03, 0xe8, 0xff]))],
    'a text that is no UTF-8': [1007, frameOf(text, Buffer.from([0x5b, 0xc3, 0x28, 0x5d]))],
    'a surrogate in UTF-8': [1007, frameOf(text, Buffer.from([0xed, 0xa0, 0x80]))],
    'larger than a message may be': [1009, frameOf(text, Buffer.alloc(messageBytesMax + 1, ' '))],
    'that says it is larger than any memory': [1009, frameOf(binary, 'x', { claims: 1n << 62n })],
    'in fragments that are too large together': [
      1009,
      frameOf(text, Buffer.alloc(messageBytesMax, ' '), { isFinal: false }),
      frameOf(continuation, ' '),
    ],
    'in more fragments than anybody needs': [
      1008,
      frameOf(text, 'x', { isFinal: false }),
      ...Array<Buffer>(1_100).fill(fragment),
    ],
  }
  test.each(Object.entries(breaches))('%s', async (_name, [code, ...frames]) => {
    const bad = await raw()
    bad.socket.write(Buffer.concat(frames))
    expect(await bad.closeCode()).toBe(code)
    bad.socket.destroy()
    await mustGoOn()
  })
})

describe('a message that says nothing is passed over, and its socket goes on:', () => {
  const deep = (depth: number, inner = '1'): string => '['.repeat(depth) + inner + ']'.repeat(depth)
  const header = (kind: number, ...lengths: number[]) => Buffer.from([kind, ...lengths])
  const said = (event: string, payload: string, topic = 'realtime:said') =>
    `["1","1",${JSON.stringify(topic)},"${event}",${payload}]`
  const messages: Record<string, (string | Buffer)[]> = {
    'no JSON': ['', ' ', '{', '[', '"', '\0', 'NaN', '[1,2', '{"topic":'],
    'JSON of another shape': [
      'null',
      'true',
      '7',
      '"x"',
      '[]',
      '{}',
      '[1]',
      '[null,null,null,null,null]',
      '[[],[],[],[],[]]',
    ],
    'topics and events of other types': ['[null,null,{},"x",{}]', '["1","1",["realtime:a"],"phx_join",{}]'],
    'refs of other types': ['[{},"1","phoenix","heartbeat",{}]', '["1",true,"phoenix","heartbeat",{}]'],
    'deeper than a stack': [
      deep(100_000),
      said('broadcast', deep(100_000)),
      said('presence', `{"event":"track","payload":{"a":${deep(60_000)}}}`),
      said('access_token', deep(100_000)),
    ],
    'a join with what cannot be a text': [
      said('phx_join', '{"config":{"presence":{"key":{"toString":1,"valueOf":1}}}}', 'realtime:key'),
      said(
        'phx_join',
        '{"config":{"presence":{"key":[[[]]]},"postgres_changes":[null,[],{"filter":{}}]}}',
        'realtime:key',
      ),
      said('phx_join', `{"config":{"postgres_changes":[{"schema":${deep(20_000)}}]}}`, 'realtime:deep'),
    ],
    'names that every object has': [
      said('__proto__', '{}'),
      said('constructor', '{"__proto__":{"polluted":true}}'),
      said(
        'presence',
        '{"event":"track","payload":{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}}',
      ),
      said('phx_join', '{"__proto__":{"polluted":1},"config":{"__proto__":{"polluted":1}}}', 'realtime:__proto__'),
    ],
    'bytes of no kind': [header(1), header(2, 0, 0), header(255), header(0), header(3), Buffer.alloc(0)],
    'bytes shorter than they say': [
      header(3, 255, 255, 255, 255, 255, 1),
      header(0, 9, 9, 9, 9),
      header(3, 0, 0, 0, 0, 0),
    ],
    'bytes for others that are no JSON, though they say so': [
      Buffer.concat([header(3, 1, 1, 13, 1, 0, 1), Buffer.from('11realtime:saide'), Buffer.from('{not')]),
      Buffer.concat([header(3, 1, 1, 13, 1, 0, 1), Buffer.from('11realtime:saide'), Buffer.from([0x22, 0xff, 0x22])]),
    ],
    'a broadcast of bytes of the general kind': [
      Buffer.concat([header(0, 1, 1, 13, 9), Buffer.from('11realtime:saidbroadcast'), Buffer.alloc(10)]),
    ],
  }
  test.each(Object.entries(messages))('%s', async (_name, all) => {
    const other = await connect()
    await other.join('said')
    const bad = await raw()
    bad.socket.write(frameOf(text, '["1","1","realtime:said","phx_join",{"config":{"presence":{"enabled":true}}}]'))
    for (const each of all) bad.socket.write(frameOf(typeof each === 'string' ? text : binary, each))
    bad.socket.write(frameOf(text, heartbeat))
    await expect.poll(() => bad.frames().some(({ payload }) => payload.includes('"phoenix"'))).toBe(true)
    bad.socket.destroy()
    await other.ask('phoenix', 'heartbeat')
    expect(other.heard.filter(({ event }) => event === 'broadcast')).toEqual([])
    other.close()
    await mustGoOn()
  })
})

describe('out of order', () => {
  const unmatched = { status: 'error', response: { reason: 'unmatched topic' } }

  test('what concerns a channel before the join or after the leave is refused; leaving is always fine', async () => {
    const client = await connect()
    const topic = 'realtime:order'
    const events = ['broadcast', 'presence', 'access_token', 'whatever', 'phx_close', 'phx_error', 'phx_reply']
    for (const event of events) expect(await client.ask(topic, event)).toEqual(unmatched)
    expect(await client.ask(topic, 'phx_leave')).toMatchObject({ status: 'ok' })
    expect(await client.join('order')).toMatchObject({ status: 'ok' })
    expect(await client.ask(topic, 'phx_leave')).toMatchObject({ status: 'ok' })
    for (const event of events) expect(await client.ask(topic, event)).toEqual(unmatched)
    client.close()
  })

  test('a second join ends the first, and what is for the first is passed over', async () => {
    const [client, other] = await Promise.all([connect(), connect()])
    await other.join('twice')
    await client.join('twice')
    await client.join('twice')
    expect(client.heard.map(({ event }) => event)).toEqual(['phx_reply', 'phx_close', 'phx_reply'])
    client.send('["1","9","realtime:twice","broadcast",{"event":"old"}]')
    client.send('["2","9","realtime:twice","broadcast",{"event":"new"}]')
    const { payload } = await other.until(({ event }) => event === 'broadcast')
    expect(payload).toEqual({ event: 'new' })
    client.close()
    other.close()
  })

  test('joins and leaves without waiting leave the last word to the last, whoever else is about to come', async () => {
    const clients = await Promise.all([connect(), connect(), connect()])
    const forged = { access_token: 'a.b.c' }
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < 20; round += 1) {
          client.tell('realtime:rush', 'phx_join', index === 0 ? forged : {})
          client.tell('realtime:rush', 'phx_leave')
        }
        await client.join('rush', {}, index === 0 ? 'a.b.c' : undefined)
      }),
    )
    clients[1]!.tell('realtime:rush', 'broadcast', { event: 'all here' })
    expect(await clients[2]!.until(({ event }) => event === 'broadcast')).toMatchObject({ topic: 'realtime:rush' })
    for (const client of clients) client.close()
  })
})

describe('the network', () => {
  test('may bring frames byte by byte, many at once, and with pings between the fragments of a message', async () => {
    const { socket, frames } = await raw()
    for (const byte of frameOf(text, heartbeat)) socket.write(Buffer.from([byte]))
    socket.write(Buffer.concat(Array<Buffer>(50).fill(frameOf(text, heartbeat))))
    for (const [at, part] of ['[null,"7","pho', 'enix","heart', 'beat",{}]'].entries()) {
      socket.write(frameOf(at === 0 ? text : continuation, part, { isFinal: at === 2 }))
      socket.write(frameOf(ping, `ping ${at}`))
    }
    await expect.poll(() => frames().filter(({ opcode }) => opcode === text)).toHaveLength(52)
    const pongs = frames().filter(({ opcode }) => opcode === pong)
    expect(pongs.map(({ payload }) => payload.toString())).toEqual(['ping 0', 'ping 1', 'ping 2'])
    socket.destroy()
  })

  test.each([
    ['ends its side', (socket: RawSocket['socket']) => socket.end()],
    ['ends its side in the middle of a frame', (socket: RawSocket['socket']) => socket.end(Buffer.from([0x81, 0xfe]))],
    ['is reset', (socket: RawSocket['socket']) => socket.resetAndDestroy()],
    ['says farewell', (socket: RawSocket['socket']) => socket.write(frameOf(close, Buffer.from([0x03, 0xe8])))],
  ])('a client that %s is gone from its channels', async (_name, leave) => {
    const other = await connect()
    await other.join('gone', { presence: { enabled: true } })
    const bad = await raw()
    bad.socket.write(frameOf(text, '["1","1","realtime:gone","phx_join",{"config":{"presence":{"key":"it"}}}]'))
    bad.socket.write(frameOf(text, '["1","2","realtime:gone","presence",{"event":"track","payload":{}}]'))
    const came = await other.until(({ event }) => event === 'presence_diff')
    expect(came.payload).toMatchObject({ joins: { it: {} }, leaves: {} })
    leave(bad.socket)
    const left = await other.until((said) => said.event === 'presence_diff' && said !== came)
    expect(left.payload).toMatchObject({ joins: {}, leaves: { it: {} } })
    bad.socket.destroy()
    other.close()
  })

  test('a client that asks on and on and never reads is cut off; one that only listens misses what is too much', async () => {
    const asks = await raw({ reads: false })
    const cut = new Promise((resolve) => asks.socket.once('close', resolve))
    const many = Buffer.concat(Array<Buffer>(2_000).fill(frameOf(text, heartbeat)))
    const ask = (): void => void (asks.socket.writable && asks.socket.write(many, ask))
    ask()
    const listens = await raw({ reads: false })
    listens.socket.write(frameOf(text, '["1","1","realtime:flood","phx_join",{}]'))
    const [follows, floods] = await Promise.all([connect(), connect()])
    await Promise.all([follows.join('flood'), floods.join('flood', { broadcast: { ack: true } })])
    const payload = { event: 'water', payload: 'x'.repeat(200_000) }
    let count = 0
    while ((await metric('realtime_deliveries_total{outcome="dropped"}')) === 0) {
      for (let index = 0; index < 10; index += 1, count += 1) await floods.ask('realtime:flood', 'broadcast', payload)
    }
    await expect.poll(() => follows.heard.filter(({ event }) => event === 'broadcast').length).toBe(count)
    await cut
    listens.socket.destroy()
    follows.close()
    floods.close()
  })
})

test(`${framesMax} random frames: no stall, no exit, and the others go on`, { timeout: 600_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const nextFrames = randomFrames(seed)
  let sent = 0
  const over = new AbortController()
  const send = async (): Promise<void> => {
    while (sent < framesMax) {
      const { socket } = await raw()
      for (let batch = 0; batch < 20 && socket.writable && sent < framesMax; batch += 1) {
        const frames = nextFrames(100)
        sent += frames.length
        if (!socket.write(Buffer.concat(frames)))
          await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
      }
      socket.destroy()
    }
  }
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) await mustGoOn()
  }
  const watching = watch()
  await Promise.all([1, 2, 3, 4].map(send))
  over.abort()
  await watching
  expect(await metric('realtime_malformed_total'), `seed ${seed}`).toBeGreaterThan(framesMax / 20)
})

test('after all of this nothing is left behind', async () => {
  await mustGoOn()
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(canary)
  witness.close()
  speaker.close()
  await expect.poll(() => metric('realtime_sockets_open')).toBe(0)
  expect(await metric('realtime_channels')).toBe(0)
})
