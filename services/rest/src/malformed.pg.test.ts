import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seedOfRun } from './testing/dice.ts'
import { validRequests } from './testing/garbage-parts.ts'
import { findStalls, hasStalled, sendGarbage } from './testing/garbage-run.ts'
import { garbageSchema } from './testing/garbage-schema.ts'
import { type House, startHouse } from './testing/house.ts'
import { writeHttp } from './testing/random-garbage.ts'
import { createRawClient } from './testing/raw-client.ts'

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
    expect(house.output()).toBe('')
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
