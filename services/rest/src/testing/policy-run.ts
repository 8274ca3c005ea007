import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { Pool } from 'undici'
import { callers, headersOf } from './callers.ts'
import { check, compareTwins, type Known, type Leak } from './check-policies.ts'
import { createDice, type Dice } from './dice.ts'
import { type House, jwtSecret, startHouse } from './house.ts'
import type { Data, Schema } from './policy-model.ts'
import { type World, worldOf } from './policy-oracle.ts'
import { randomChange } from './random-change.ts'
import { randomRead } from './random-request.ts'
import { randomData, randomSchema } from './random-schema.ts'
import type { Ask } from './request-model.ts'
import { revalue } from './revalue.ts'
import { looksPast, probingPaths, twinData } from './twin.ts'
import { writeRequest } from './write-request.ts'
import { writeSchema } from './write-schema.ts'

/** Some random schemas in one database behind one node. */
export type Estate = {
  readonly database: TestDatabase
  readonly house: House
  readonly pool: Pool
  readonly plots: readonly Plot[]
  readonly known: readonly Known[]
  readonly close: () => Promise<void>
}

/** A schema with its rows, and a twin of it (named with `b` instead of `a`) that `twinOf` cannot tell apart. */
export type Plot = {
  readonly seed: number
  readonly schema: Schema
  readonly data: Data
  readonly twin: Data
  readonly twinOf: string
}

const connectionsMax = 32

export type EstateOptions = {
  readonly seed: number
  readonly schemas: number
  /** Run as superuser when all schemas are there. */
  readonly sql?: string
  /** Further options of the node. */
  readonly environment?: Record<string, string>
}

export async function openEstate(options: EstateOptions): Promise<Estate> {
  const plots = Array.from({ length: options.schemas }, (_, index) => makePlot(options.seed + index, index))
  const database = await createTestDatabase()
  const names: string[] = []
  for (const { schema, data, twin } of plots) {
    const other = { ...schema, name: twinName(schema.name) }
    await database.run(writeSchema(schema, data, 'postgres') + writeSchema(other, twin, 'postgres'))
    names.push(schema.name, other.name)
  }
  // Plans do not matter here, and making them for every value would take most of the time.
  await database.run(`analyze; alter database ${database.name} set plan_cache_mode = force_generic_plan`)
  if (options.sql !== undefined) await database.run(options.sql)
  const house = await startHouse(database.apiUrl, {
    ...options.environment,
    PANDO_REST_SCHEMAS: names.join(),
    PANDO_REST_TX_END: 'commit-allow-override',
    PANDO_REST_AGGREGATES_ENABLED: 'true',
  })
  const pool = new Pool(house.url, { connections: connectionsMax })
  const known = await Promise.all(
    callers.map(async (caller) => ({ caller, headers: await headersOf(caller, jwtSecret) })),
  )
  const close = async (): Promise<void> => {
    await pool.destroy()
    await house.stop()
    await database.close()
  }
  return { database, house, pool, plots, known, close }
}

export const twinName = (name: string): string => name.replace(/a$/, 'b')

function makePlot(seed: number, index: number): Plot {
  const dice = createDice(seed)
  const schema = randomSchema(dice, `s${index}a`)
  const data = randomData(dice, schema)
  const caller = dice.of(callers.filter(({ role }) => role !== 'service_role'))
  return { seed, schema, data, twin: twinData(dice, { schema, data, caller }), twinOf: caller.name }
}

/**
 * What a run has seen. A pair is one request of one caller, compared with the oracle, and no read is asked twice of a
 * schema; a twin is a pair of answers.
 */
export type Tally = { pairs: number; withRows: number; denied: number; twins: number; leaks: Leak[]; twinLeaks: Leak[] }

const emptyTally = (): Tally => ({ pairs: 0, withRows: 0, denied: 0, twins: 0, leaks: [], twinLeaks: [] })

/**
 * For each schema: as many pairs of reads, each shape with up to so many different values and each read by every
 * caller; then changes one by one, and a quarter as many reads of what they left behind.
 */
export type Plan = { readonly pairs: number; readonly values: number; readonly changes: number }

const walksMax = 4

/** Walks all plots, several at once so that the database is never idle. */
export async function walkEstate(estate: Estate, plan: Plan): Promise<Tally> {
  const tally = emptyTally()
  const waiting = [...estate.plots]
  const walk = async (): Promise<void> => {
    for (let plot = waiting.shift(); plot !== undefined; plot = waiting.shift()) {
      await createWalk(estate, plot, tally).all(plan)
    }
  }
  await Promise.all(Array.from({ length: walksMax }, walk))
  return tally
}

type ReadAsk = Extract<Ask, { kind: 'read' }>

/** What each caller meets in these rows. */
function worldsOf(schema: Schema, data: Data, known: readonly Known[]): World[] {
  return known.map(({ caller }) => worldOf(schema, data, caller))
}

/** Reads of a schema; each shape with several values in turn, as far as it has any. None comes twice. */
function createReads(dice: Dice, schema: Schema): (values: number) => ReadAsk[] {
  const asked = new Set<string>()
  const isNew = (ask: ReadAsk): boolean => {
    const { path, headers } = writeRequest(ask, schema.name)
    const key = `${headers['prefer']} ${path}`
    return !asked.has(key) && asked.add(key) !== undefined
  }
  return (values) => {
    const shape = randomRead(dice, schema)
    return [shape, ...dice.times(values - 1, () => revalue(dice, shape))].filter(isNew)
  }
}

function createWalk(estate: Estate, plot: Plot, tally: Tally) {
  const { pool, known } = estate
  const { schema } = plot
  const dice = createDice(plot.seed ^ 0x5eed)
  const nextReads = createReads(dice, schema)
  const twinOf = known.find(({ caller }) => caller.name === plot.twinOf)!
  let worlds = worldsOf(schema, plot.data, known)

  const askEverybody = async (ask: ReadAsk): Promise<void> => {
    const results = await Promise.all(
      known.map((each, index) => check(pool, { world: worlds[index]!, ask, known: each })),
    )
    for (const result of results) count(tally, result)
  }
  const askTwins = async (ask: ReadAsk): Promise<void> => {
    if (looksPast(schema, ask)) return
    const request = writeRequest(ask, schema.name)
    countTwin(tally, await compareTwins(pool, { request, known: twinOf, ordered: ask.ordered }))
  }
  const probeTwins = async (dice: Dice): Promise<void> => {
    const request = { method: 'GET', ...probingPaths(dice, schema) }
    countTwin(tally, await compareTwins(pool, { request, known: twinOf, ordered: false }))
  }
  const read = async ({ pairs, values }: Plan, isPristine: boolean): Promise<void> => {
    for (let left = pairs; left > 0;) {
      for (const ask of nextReads(values)) {
        await Promise.all([askEverybody(ask), ...(isPristine ? [askTwins(ask)] : [])])
        left -= known.length
      }
      if (isPristine && dice.chance(20)) await probeTwins(dice)
    }
  }
  const change = async (times: number): Promise<boolean> => {
    for (let left = times; left > 0; left -= 1) {
      const index = dice.number(0, known.length - 1)
      const world = worlds[index]!
      const ask = randomChange(dice, schema, world.data)
      const result = await check(pool, { world, ask, known: known[index]! })
      if (result.data !== world.data) worlds = worldsOf(schema, result.data, known)
      count(tally, result)
      // From here on the oracle's rows may not be those of the database.
      if (result.leak !== undefined) return false
    }
    return true
  }
  return {
    async all(plan: Plan): Promise<void> {
      await read(plan, true)
      if (await change(plan.changes)) await read({ ...plan, pairs: plan.pairs / 4 }, false)
    },
  }
}

function count(tally: Tally, { leak, seen }: Awaited<ReturnType<typeof check>>): void {
  tally.pairs += 1
  if (seen === 'rows') tally.withRows += 1
  if (seen === 'denied') tally.denied += 1
  if (leak !== undefined) tally.leaks.push(leak)
}

function countTwin(tally: Tally, leak: Leak | undefined): void {
  tally.twins += 1
  if (leak !== undefined) tally.twinLeaks.push(leak)
}

/** The simplest of the leaks, as text: the shortest request says most. */
export function describeLeaks({ leaks, twinLeaks }: Tally): string {
  const simplest = [...leaks, ...twinLeaks].toSorted(
    (one, other) => one.request.path.length - other.request.path.length,
  )
  return simplest
    .slice(0, 3)
    .map((leak) => JSON.stringify(leak, undefined, 1))
    .join('\n')
}
