import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen, reconnectPauseMs, type ListenOptions } from './listen.ts'
import { createTestDatabase, type TestDatabase } from './testing/database.ts'

let server: TestDatabase
beforeAll(async () => {
  server = await createTestDatabase({ conventions: false })
})
afterAll(() => server.close())

/** A queue that a test reads from. */
function createMailbox<T>() {
  const texts: T[] = []
  const waiting: ((text: T) => void)[] = []
  return {
    put: (text: T) => {
      const next = waiting.shift()
      if (next === undefined) texts.push(text)
      else next(text)
    },
    take: (): Promise<T> => {
      const text = texts.shift()
      return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text)
    },
  }
}

function start(options: Partial<ListenOptions> = {}) {
  const mailbox = createMailbox<string>()
  const listener = listen({
    url: server.url,
    applicationName: 'the listener',
    channels: ['One', 'two'],
    onNotice: (channel, payload) => mailbox.put(`${channel} ${payload}`),
    onReconnected: () => mailbox.put('reconnected'),
    random: () => 0,
    ...options,
  })
  return { listener, take: mailbox.take }
}

const killListener = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = 'the listener' and datname = current_database()`

test('what is sent arrives with its channel', async () => {
  const { listener, take } = start()
  await listener.ready
  await server.run(`notify "One", 'a'; notify two; notify three`)
  expect([await take(), await take()]).toEqual(['One a', 'two '])
  await listener.stop()
})

test('after a loss it listens again and says that something may be missed', async () => {
  const { listener, take } = start()
  await listener.ready
  for (const round of ['1', '2']) {
    await server.run(killListener)
    expect(await take()).toBe('reconnected')
    await server.query(`select pg_notify('two', $1)`, [round])
    expect(await take()).toBe(`two ${round}`)
  }
  await listener.stop()
})

test('a connection that no longer answers is given up', async () => {
  const { listener, take } = start({ heartbeatMs: 5 })
  await listener.ready
  await server.run(killListener)
  expect(await take()).toBe('reconnected')
  await listener.stop()
})

test('a server that is not there is tried again until stop', async () => {
  const lost = createMailbox<unknown>()
  const { listener } = start({ url: 'postgresql://a:b@127.0.0.1:1/c', onLost: lost.put })
  expect(await lost.take()).toMatchObject({ name: 'PostgresUnavailable' })
  expect(await lost.take()).toMatchObject({ name: 'PostgresUnavailable' })
  await listener.stop()
})

test('after stop there is no session left', async () => {
  const { listener } = start()
  await listener.stop()
  const second = start()
  await second.listener.ready
  await second.listener.stop()
  const sql = `select count(*)::int as sessions from pg_stat_activity where application_name = 'the listener'`
  await expect.poll(async () => await server.query(sql)).toEqual([{ sessions: 0 }])
})

test('pauses grow to a bound and are spread', () => {
  expect([0, 1, 2, 50].map((failures) => reconnectPauseMs(failures, () => 0))).toEqual([50, 100, 200, 5000])
  expect(reconnectPauseMs(50, () => 0.999)).toBeLessThan(10_000)
})
