import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seedOfRun } from './testing/dice.ts'
import { describeLeaks, type Estate, openEstate, twinName, walkEstate } from './testing/policy-run.ts'

const seed = seedOfRun(process.env)
const isLong = process.env['PANDO_TEST_LONG'] === '1'
/** Says how to see the same again. */
const again = `PANDO_TEST_SEED=${seed} repeats this run`

describe('a policy is never bypassed', () => {
  const rounds = isLong ? 10 : 1
  const pairsMin = 100_000
  const schemas = 24
  // A quarter as many reads follow the changes.
  const plan = { pairs: Math.ceil(pairsMin / schemas / 1.25), values: 8, changes: 60 }

  test(`every answer is the oracle's, for ${rounds * pairsMin} pairs of caller and request (${again})`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const estate = await openEstate({ seed: seed + round * schemas, schemas })
      try {
        const tally = await walkEstate(estate, plan)
        expect(describeLeaks(tally), `${again}; the node wrote:\n${estate.house.output()}\n`).toBe('')
        expect(tally.pairs).toBeGreaterThan(pairsMin)
        expect(tally.withRows).toBeGreaterThan(tally.pairs / 8)
        expect(tally.denied).toBeGreaterThan(tally.pairs / 100)
        expect(tally.twins).toBeGreaterThan(tally.pairs / 50)
        expect(estate.house.isRunning()).toBe(true)
      } finally {
        await estate.close()
      }
    }
  }, 3_600_000)
})

describe('the checker finds planted bugs', () => {
  const plan = { pairs: 600, values: 2, changes: 0 }
  let estate: Estate
  beforeAll(async () => {
    estate = await openEstate({ seed: 7, schemas: 4 })
  })
  afterAll(() => estate.close())

  const inEverySchema = (statement: (name: string, table: string) => string): Promise<void> =>
    estate.database.run(
      estate.plots
        .flatMap(({ schema }) => [schema.name, twinName(schema.name)].map((name) => ({ name, schema })))
        .flatMap(({ name, schema }) => schema.tables.map(({ name: table }) => statement(name, table)))
        .join(';'),
    )

  test('nothing, before there is a bug', async () => {
    expect(describeLeaks(await walkEstate(estate, plan))).toBe('')
  })

  test('the claims of another caller', async () => {
    const headersOf = (name: string): Estate['known'][number]['headers'] =>
      estate.known.find(({ caller }) => caller.name === name)!.headers
    const known = estate.known.map((each) =>
      each.caller.name === 'person 1' ? { ...each, headers: headersOf('person 0') } : each,
    )
    const { leaks } = await walkEstate({ ...estate, known }, plan)
    expect(leaks.length).toBeGreaterThan(0)
    expect(new Set(leaks.map(({ caller }) => caller))).toEqual(new Set(['person 1']))
  })

  test('one policy too few, and one too many', async () => {
    await inEverySchema((schema, table) => `alter policy p0 on ${schema}.${table} rename to kept`)
    await inEverySchema(
      (schema, table) => `create policy planted on ${schema}.${table} for select using (owner is null)`,
    )
    expect((await walkEstate(estate, plan)).leaks.length).toBeGreaterThan(0)
    await inEverySchema((schema, table) => `drop policy planted on ${schema}.${table}`)
    expect((await walkEstate(estate, plan)).leaks.length).toBe(0)
    await inEverySchema((schema, table) => `drop policy kept on ${schema}.${table}`)
    expect((await walkEstate(estate, plan)).leaks.length).toBeGreaterThan(0)
  })

  test('row security that is off, also by twins alone', async () => {
    await inEverySchema((schema, table) => `alter table ${schema}.${table} disable row level security`)
    const { leaks, twinLeaks } = await walkEstate(estate, plan)
    expect(leaks.length).toBeGreaterThan(0)
    expect(twinLeaks.length).toBeGreaterThan(0)
  })
})
