import { afterEach, expect, test } from 'vitest'
import { seedOfRun } from './testing/dice.ts'
import { describeLeaks, type Estate, openEstate, walkEstate } from './testing/policy-run.ts'

const seed = seedOfRun(process.env)
const isLong = process.env['PANDO_TEST_LONG'] === '1'
/** Says how to see the same again. */
const again = `PANDO_TEST_SEED=${seed} repeats this run`

let estate: Estate
afterEach(() => estate?.close())

/** Each read is made by all callers, so that an answer that is kept for one is there when the next one asks. */
const plan = { pairs: isLong ? 40_000 : 700, values: 2, changes: 0 }

const open = (schemas: number): Promise<Estate> =>
  openEstate({
    seed,
    schemas,
    sql: 'create publication pando_cache for all tables',
    environment: {
      PANDO_CACHE_MODE: 'tables',
      PANDO_ADMISSION_ENABLED: 'false',
      PANDO_GATEWAY_METRICS_PUBLIC: 'true',
      PANDO_CACHE_PULSE: '50ms',
      PANDO_CACHE_LAG_MAX: '60s',
      PANDO_CHANGES_STATUS_INTERVAL: '50ms',
    },
  })

/** How many reads of kept tables had which outcome. */
async function countOutcomes({ house }: Estate): Promise<Record<string, number>> {
  const page = await (await fetch(`${house.url}/metrics`)).text()
  const lines = page.matchAll(/^cache_reads_total\{outcome="(\w+)"\} (\d+)$/gm)
  return Object.fromEntries(Array.from(lines, ([, outcome, count]) => [outcome!, Number(count)]))
}

test(`what is kept for one caller is shown to no other who may see other rows (${again})`, async () => {
  estate = await open(isLong ? 24 : 3)
  const tally = await walkEstate(estate, plan)
  expect(describeLeaks(tally), `${again}; the node wrote:\n${estate.house.output()}\n`).toBe('')
  const { hit = 0, collapsed = 0, shared = 0, miss = 0 } = await countOutcomes(estate)
  expect(tally.withRows).toBeGreaterThan(tally.pairs / 8)
  expect(hit + collapsed + shared).toBeGreaterThan(tally.pairs / 20)
  expect(miss).toBeGreaterThan(tally.pairs / 20)
}, 600_000)
