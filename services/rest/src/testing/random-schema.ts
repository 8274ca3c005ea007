import type { Dice } from './dice.ts'
import type {
  Column,
  ColumnType,
  Data,
  ForeignKey,
  Grant,
  Row,
  RowsFunction,
  Schema,
  Table,
  Value,
  View,
} from './policy-model.ts'
import { apiRoles } from './policy-model.ts'
import { randomCondition, randomPolicies } from './random-policy.ts'
import { words, people } from './callers.ts'

/** Up to four tables, chained by foreign keys, with views and functions over them. */
export function randomSchema(dice: Dice, name: string): Schema {
  const tables: Table[] = []
  for (let index = 0, count = dice.number(2, 4); index < count; index += 1)
    tables.push(randomTable(dice, tables, index))
  if (dice.chance(60)) tables.push(randomJunction(dice, tables))
  const entities = tables.filter(({ name }) => name !== junctionName)
  return {
    name,
    tables,
    views: dice.times(dice.number(1, 3), (index) => randomView(dice, entities, index)),
    links: dice.times(dice.number(0, 2), (index) => {
      const [table, target] = [dice.of(entities), dice.of(entities)]
      return { name: `link${index}`, table: table.name, target: target.name, outer: 'owner', inner: 'owner' }
    }),
    functions: entities.flatMap(({ name: table }): RowsFunction[] => [
      { name: `list_${table}`, table, as: 'caller' },
      { name: `all_${table}`, table, as: 'owner' },
    ]),
  }
}

export const junctionName = 'j'
const types: readonly ColumnType[] = ['int4', 'text', 'uuid', 'bool', 'jsonb']

function randomTable(dice: Dice, before: readonly Table[], index: number): Table {
  const name = `t${index}`
  const own = dice.times(dice.number(1, 4), (at): Column => ({ name: `c${at}`, type: dice.of(types) }))
  const keys = dice.some(before, 70).map((target): ForeignKey => ({
    constraint: `${name}_${target.name}_fkey`,
    column: `${target.name}_id`,
    table: target.name,
    unique: dice.chance(25),
  }))
  if (dice.chance(25)) keys.push({ constraint: `${name}_up_fkey`, column: 'up_id', table: name, unique: false })
  const columns: Column[] = [
    { name: 'id', type: 'int4' },
    { name: 'owner', type: 'uuid' },
    { name: 'team', type: 'text' },
    ...own,
    ...keys.map(({ column }): Column => ({ name: column, type: 'int4' })),
  ]
  const bare = { name, columns, primaryKey: ['id'], keys, policies: [], grants: randomGrants(dice, columns, own) }
  return { ...bare, policies: randomPolicies(dice, bare, before) }
}

/** Joins two tables: its key is what refers to them. */
function randomJunction(dice: Dice, entities: readonly Table[]): Table {
  const sides = entities.slice(0, 2)
  const keys = sides.map(({ name }): ForeignKey => ({
    constraint: `j_${name}_fkey`,
    column: `${name}_id`,
    table: name,
    unique: false,
  }))
  const columns: Column[] = [
    ...keys.map(({ column }): Column => ({ name: column, type: 'int4' })),
    { name: 'owner', type: 'uuid' },
    { name: 'team', type: 'text' },
  ]
  const bare = {
    name: junctionName,
    columns,
    primaryKey: keys.map(({ column }) => column),
    keys,
    policies: [],
    grants: randomGrants(dice, columns, []),
  }
  return { ...bare, policies: randomPolicies(dice, bare, entities) }
}

/** Only a table's own columns are ever withheld: what policies of other tables look at stays readable. */
function randomGrants(dice: Dice, columns: readonly Column[], own: readonly Column[]): Table['grants'] {
  const grant = (role: (typeof apiRoles)[number]): Grant => {
    const all = columns.map(({ name }) => name)
    if (role === 'service_role') return { select: all, commands: ['insert', 'update', 'delete'] }
    const withheld = dice.chance(20) ? dice.some(own, 50).map(({ name }) => name) : []
    return {
      select: all.filter((name) => !withheld.includes(name)),
      commands: dice.some(['insert', 'update', 'delete'], 85),
    }
  }
  return { anon: grant('anon'), authenticated: grant('authenticated'), service_role: grant('service_role') }
}

function randomView(dice: Dice, tables: readonly Table[], index: number): View {
  const table = dice.of(tables)
  const readable = table.columns
    .map(({ name }) => name)
    .filter((name) => apiRoles.every((role) => table.grants[role].select.includes(name)))
  const always = ['id', 'owner', 'team', ...table.keys.map(({ column }) => column)]
  const own = readable.filter((name) => !always.includes(name))
  const seen = { ...table, columns: table.columns.filter(({ name }) => readable.includes(name)) }
  return {
    name: `v${index}`,
    table: table.name,
    columns: [...always, ...dice.some(own, 60)],
    as: dice.of(['caller', 'caller', 'owner', 'authenticated']),
    ...(dice.chance(30) ? { where: randomCondition(dice, seen, { others: [], depth: 1 }) } : {}),
  }
}

/** Rows for every table, in the order of the tables, so that keys find what they refer to. */
export function randomData(dice: Dice, schema: Schema): Data {
  const data: Record<string, Row[]> = {}
  for (const table of schema.tables) {
    const rows: Row[] = (data[table.name] = [])
    const count = table.name === junctionName ? dice.number(0, 14) : dice.number(3, 12)
    for (let id = 1; id <= count; id += 1) {
      const row = randomRow(dice, table, { id, data })
      if (!isTaken(table, rows, row)) rows.push(row)
    }
  }
  return data
}

type Place = { readonly id: number; readonly data: Data }

/** A row whose keys refer to rows that are there. A table's reference to itself is to an earlier row or to none. */
export function randomRow(dice: Dice, table: Table, { id, data }: Place): Row {
  const row: Record<string, Value> = {}
  for (const { name, type } of table.columns) {
    const key = table.keys.find(({ column }) => column === name)
    const isKeyPart = table.primaryKey.includes(name)
    const targets = key === undefined ? [] : (data[key.table] ?? []).map((each) => each['id'] as number)
    if (name === 'id') row[name] = id
    else if (key !== undefined)
      row[name] = targets.length === 0 || (!isKeyPart && dice.chance(25)) ? (isKeyPart ? 1 : null) : dice.of(targets)
    else row[name] = randomValue(dice, type)
  }
  return row
}

/** Whether a key of the table forbids the row. */
export function isTaken(table: Table, rows: readonly Row[], row: Row): boolean {
  const keys = [table.primaryKey, ...table.keys.filter(({ unique }) => unique).map(({ column }) => [column])]
  return keys.some((key) => rows.some((other) => key.every((name) => row[name] !== null && other[name] === row[name])))
}

export function randomValue(dice: Dice, type: ColumnType): Value {
  if (dice.chance(12)) return null
  switch (type) {
    case 'int4':
      return dice.number(0, 5)
    case 'text':
      return dice.of(words)
    case 'uuid':
      return dice.of(people)
    case 'bool':
      return dice.chance(50)
    case 'jsonb':
      return { k: dice.number(0, 3), t: dice.of(words) }
  }
}
