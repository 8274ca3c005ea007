import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askAll, makePeople, type Person, writeNotes } from './testing/claims-run.ts'
import { carelessWho, claimsSchema } from './testing/claims-schema.ts'
import { seedOfRun } from './testing/dice.ts'
import { type House, startHouse } from './testing/house.ts'

const seed = seedOfRun(process.env)
const count = process.env['PANDO_TEST_LONG'] === '1' ? 100_000 : 4_000
const nobody: string[] = []

/** With sessions of our own, and as behind a pooler, where a session is whoever's comes next. */
describe.each([
  { name: 'with sessions of our own', pooled: false },
  { name: 'as behind a pooler', pooled: true },
])('claims of pooled connections, $name', ({ pooled }) => {
  let database: TestDatabase
  let house: House
  let people: Person[]
  beforeAll(async () => {
    database = await createTestDatabase({ sql: claimsSchema })
    people = await makePeople(40)
    await database.run(writeNotes(people))
    // A server that is not our own may keep the zone of its machine.
    await database.run(`alter database ${database.name} set timezone = 'UTC'`)
    house = await startHouse(database.apiUrl, {
      PANDO_DATABASE_POOLED: String(pooled),
      PANDO_REST_TX_END: 'commit-allow-override',
      PANDO_LOG_LEVEL: 'error',
    })
  })
  afterAll(async () => {
    await house.stop()
    await database.close()
  })

  test(`every answer is about who asked (PANDO_TEST_SEED=${seed} repeats this run)`, async () => {
    const { bleeds, answers, hangUps, refused } = await askAll(house, people, { seed, count, pooled })
    expect(bleeds.slice(0, 3)).toEqual(nobody)
    expect(answers).toBeGreaterThan(count * 0.8)
    expect(hangUps).toBeGreaterThan(count * 0.01)
    expect(refused).toBeGreaterThan(count * 0.05)
    expect(house.output()).toBe('')
  })

  test('a function that remembers the first caller of a session is found where sessions are shared, and harmless where they are ours', async () => {
    await database.run(carelessWho)
    const { bleeds } = await askAll(house, people, { seed, count: 1_000, pooled })
    expect(bleeds.length > 0).toBe(pooled)
  })
})
