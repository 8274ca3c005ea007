import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDice, seedOfRun } from './testing/dice.ts'
import { validRequests } from './testing/garbage-requests.ts'
import { findStalls, hasStalled, sendGarbage } from './testing/garbage-run.ts'
import { garbageSchema } from './testing/garbage-schema.ts'
import { type House, type Probed, startHouse } from './testing/house.ts'
import { randomGarbage, writeHttp } from './testing/random-garbage.ts'
import { createRawClient } from './testing/raw-client.ts'
import { watchStalls } from './testing/stall-watch.ts'

const seed = seedOfRun(process.env)
const requests = process.env['PANDO_TEST_LONG'] === '1' ? 1_000_000 : 100_000
const batch = 2_500

let database: TestDatabase
let house: House
beforeAll(async () => {
  database = await createTestDatabase({ sql: garbageSchema })
  house = await startHouse(database.apiUrl, {
    PANDO_REST_TX_END: 'commit-allow-override',
    PANDO_REST_AGGREGATES_ENABLED: 'true',
    PANDO_REST_MAX_ROWS: '20',
    PANDO_LOG_LEVEL: 'error',
  })
})
afterAll(async () => {
  await house.stop()
  await database.close()
})

/** The statuses of the requests that everything else is made from. */
async function statusesOfValid(): Promise<string[]> {
  const client = createRawClient(house.port)
  const statuses: string[] = []
  for (const request of validRequests) {
    const answer = await client.ask(writeHttp(request), { isHead: request.method === 'HEAD' })
    statuses.push(answer === 'closed' ? answer : `${answer.status} ${request.target} ${answer.body}`)
  }
  client.close()
  return statuses
}

describe('garbage is refused', () => {
  test('what it is made from is answered well', async () => {
    expect((await statusesOfValid()).filter((answer) => !answer.startsWith('2'))).toEqual([])
  })

  test(`${requests} malformed requests: no fault, no crash, no stall (PANDO_TEST_SEED=${seed} repeats this run)`, async () => {
    const rows = await sendAll()
    expect(rows).toEqual({ faults: [], stalls: [], polluted: false })
    expect(house.isRunning()).toBe(true)
    expect(house.output()).not.toMatch(/"level":"(?:error|fatal)"/)
  }, 3_600_000)

  test('afterwards good requests are answered as before', async () => {
    await database.run(
      'delete from public.events; delete from public.members where id >= 100; delete from public.clubs where id >= 100',
    )
    expect((await statusesOfValid()).filter((answer) => answer.startsWith('5'))).toEqual([])
  })
})

/** In batches, so that a stall can be looked for in a few requests. */
async function sendAll() {
  const faults: unknown[] = []
  const stalls: number[] = []
  for (let sent = 0; sent < requests && faults.length === 0; sent += batch) {
    const seeds = Array.from({ length: batch }, (_, index) => seed + sent + index)
    faults.push(...(await sendGarbage(house, seeds)))
    if (await hasStalled(house)) stalls.push(...(await findStalls(house, seeds)))
  }
  const { polluted } = await house.probe()
  return { faults: faults.slice(0, 5), stalls, polluted }
}

describe('the checker finds planted bugs', () => {
  const seeds = Array.from({ length: 150 }, (_, index) => index)
  const json = { 'content-type': 'application/json' }

  /** A server that answers everything in one way. */
  async function withServer<T>(answer: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      return await use((server.address() as AddressInfo).port)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }

  test.each([
    ['a fault', 500, '{"message":"no"}'],
    ['a stack trace', 400, '{"message":"no\n    at run (/srv/x.ts:1:2)"}'],
    ['a statement', 400, '{"message":"in select json_agg(r)"}'],
    ['a file of ours', 400, '{"message":"cannot read /app/libs/core/src/clock.ts"}'],
    ['broken JSON', 200, '[{"id":1'],
    ['an error without a word', 400, '{}'],
  ] as const)('%s', async (_name, status, body) => {
    const faults = await withServer(
      (_request, response) => response.writeHead(status, json).end(body),
      (port) => sendGarbage({ port }, seeds),
    )
    expect(faults.length).toBeGreaterThan(seeds.length / 3)
  })

  test('the one request that holds the event loop', async () => {
    const few = seeds.slice(100)
    const watch = watchStalls()
    const probe = async (): Promise<Probed> => ({ stallMs: watch.take(), polluted: false, rssBytes: 0 })
    let answered = 0
    const { held, stalls } = await withServer(
      (request, response) => {
        answered += 1
        if (isSlow(request.url)) keepBusy(150)
        response.writeHead(200, json).end('[]')
      },
      async (port) => {
        const held: number[] = []
        for (const seed of few.filter((seed) => isSlow(targetOf(seed)))) {
          const before = answered
          await sendGarbage({ port }, [seed])
          // Some never reach a server's listener.
          if (answered > before) held.push(seed)
        }
        return { held, stalls: await findStalls({ port, probe }, few) }
      },
    )
    watch.stop()
    expect(answered).toBeGreaterThan(few.length)
    expect(stalls).toEqual(held)
    expect(held.length).toBeGreaterThan(0)
  })
})

/** Holds the event loop for so many milliseconds of the processor's time. */
function keepBusy(ms: number): void {
  const usedMs = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  for (const endMs = usedMs() + ms; usedMs() < endMs;);
}

const isSlow = (target: string | undefined): boolean => target?.includes('rpc/list_members') ?? false

/** The address that the garbage of a seed asks for. */
function targetOf(seed: number): string | undefined {
  const garbage = randomGarbage(createDice(seed))
  return garbage.kind === 'whole' ? garbage.bytes.toString('latin1').split(' ')[1] : undefined
}
