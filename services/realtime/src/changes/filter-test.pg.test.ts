import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChangeStore } from './change-store.ts'
import type { ChangesPort, FilterQuestion } from './deps.ts'
import type { ColumnFacts } from './facts.ts'
import { createFilterTest, type FilterTest } from './filter-test.ts'
import { filterOperators, SubscriptionRefused } from './request.ts'

/** Values of each type, as somebody may write them. */
const samples: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f', 'true', 'no', '1'],
  int2: ['0', '-7', '32767', ' 5', '0x1F'],
  int4: ['0', '-7', '2147483647', '007'],
  int8: ['0', '9223372036854775807', '-9223372036854775808', '9007199254740993'],
  oid: ['0', '4294967295'],
  numeric: [
    '0',
    '-0.5',
    '1.50',
    '1.5',
    '1e3',
    '1000',
    'NaN',
    'Infinity',
    '-Infinity',
    '123456789012345678901234567890.000001',
  ],
  float4: ['0.1', '1e10', 'NaN'],
  float8: ['0.1', '-0', '0', '1e300', 'NaN', 'Infinity', '-Infinity', '0.30000000000000004'],
  text: ['', 'a', 'A', 'ä', 'b', '🌲', '\uffee', 'a%b', 'a_b', 'a\\b', 'ab', '%', 'a%', '_', '\\%', '^a', '[', 'a|b'],
  bytes: ['', 'a', 'A', 'ä', 'b', '🌲', '\uffee', 'Z'],
  varchar: ['a', 'a ', 'b'],
  bpchar: ['a', 'a ', 'b'],
  uuid: [
    '00000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-8000-00000000000A',
    'ffffffff-0000-4000-8000-00000000000b',
  ],
  date: ['2024-02-29', '0001-01-01', 'infinity', '-infinity', '0044-03-15 BC', '20240301', '10000-01-01'],
  timestamp: ['2024-02-29 12:00:00', '2024-02-29T12:00:00.000001', '0099-01-01', 'infinity', '0044-03-15 BC'],
  timestamptz: [
    '2024-02-29 12:00:00+00',
    '2024-02-29 14:00:00+02',
    '0001-01-01 00:00:00+00',
    '-infinity',
    '1850-01-01',
  ],
  mood: ['glad', 'sad'],
  jsonb: ['{"a": 1}', '{"a":1.0}', 'null'],
  textarray: ['{a,b}', '{}', '{NULL}'],
}

const types: Readonly<Record<string, string>> = {
  bytes: 'text collate "C"',
  mood: 'public.mood',
  textarray: 'text[]',
  bpchar: 'char(3)',
}

const columns = Object.keys(samples).map((name) => `c_${name} ${types[name] ?? name}`)
const schema = `
create type public.mood as enum ('sad', 'glad');
create table public.probe (id int primary key, ${columns.join(', ')});
alter publication supabase_realtime add table public.probe;
`

let database: TestDatabase
let api: Database
let port: ChangesPort
let facts: ReadonlyMap<string, ColumnFacts>

beforeAll(async () => {
  database = await createTestDatabase({ sql: schema })
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  port = createChangeStore({ database: api, publication: 'supabase_realtime' })
  const found = await port.findTable('public', 'probe', 'service_role')
  facts = new Map(found!.columns.map((column) => [column.name.slice(2), column]))
})
afterAll(async () => {
  await api.close()
  await database.close()
})

type Case = { readonly test: FilterTest; readonly value: string | null }

async function prepare(
  name: string,
  operator: (typeof filterOperators)[number],
  operand: string,
): Promise<FilterTest | undefined> {
  const column = facts.get(name)!
  try {
    const read = await port.readOperand({ operator, typeOid: column.typeOid, operand })
    const filter = { column: column.name, operator, value: operand, negate: false }
    return createFilterTest(filter, { ...column, isEnum: name === 'mood' }, read)
  } catch (error) {
    if (error instanceof SubscriptionRefused) return undefined
    throw error
  }
}

function toOperands(operator: string, values: readonly string[]): readonly string[] {
  if (operator === 'is') return ['null', 'true', 'false', 'unknown', 'maybe']
  if (operator !== 'in') return values
  const quote = (value: string): string => JSON.stringify(value)
  return [`{${values.map(quote).join(',')}}`, `{${quote(values[0]!)},NULL}`, '{}']
}

test('conditions that are decided here are decided as Postgres decides them', async () => {
  const cases: Case[] = []
  for (const [name, written] of Object.entries(samples)) {
    const operands = await Promise.all(written.map((each) => prepare(name, 'eq', each)))
    // As the log has them: printed by Postgres.
    const values = operands.flatMap((each) => (each === undefined ? [] : [each.toQuestion(null).operand]))
    for (const operator of filterOperators) {
      for (const operand of toOperands(operator, written)) {
        const prepared = await prepare(name, operator, operand)
        if (prepared !== undefined) for (const value of [...values, null]) cases.push({ test: prepared, value })
      }
    }
  }
  const answers = await port.checkRows(cases.map(({ test: each, value }) => each.toQuestion(value)))
  const decided = cases.map(({ test: each, value }, at) => ({
    each,
    value,
    here: each.holds(value),
    there: answers[at]![0],
  }))
  const differences = decided.filter(({ here, there }) => here !== undefined && here !== there)
  expect(differences.map(({ each, value, here, there }) => ({ ...each.toQuestion(value), here, there }))).toEqual([])
  const byIndex = decided.filter(({ each, value, there }) => {
    return each.equalTo !== undefined && value !== null && each.equalTo.includes(value) !== (there === true)
  })
  expect(byIndex.map(({ each, value }) => each.toQuestion(value))).toEqual([])
  expect(decided.filter(({ here }) => here !== undefined).length).toBeGreaterThan(3000)
})

test('LIKE is what Postgres makes of it, for random patterns and texts', async () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', 'ä', '🌲'), maxLength: 8 })
  const pairs = fc.sample(fc.tuple(piece, piece), { seed: 1, numRuns: 3000 })
  const column = facts.get('text')!
  const tests = pairs.map(([pattern]) => {
    return createFilterTest(
      { column: column.name, operator: 'like', value: pattern, negate: false },
      { ...column, isEnum: false },
      pattern,
    )
  })
  const questions = tests.map((each, at): FilterQuestion => each.toQuestion(pairs[at]![1]))
  const answers = await port.checkRows(questions)
  const wrong = tests.flatMap((each, at) => {
    const here = each.holds(pairs[at]![1])
    return here === undefined || here === answers[at]![0] ? [] : [[...pairs[at]!, here, answers[at]![0]]]
  })
  expect(wrong).toEqual([])
})
