import type { Dice } from './dice.ts'
import type { Data, Row, Schema, Table, Value } from './policy-model.ts'
import { randomFilters, randomRows } from './random-request.ts'
import { isTaken, junctionName, randomRow, randomValue } from './random-schema.ts'
import type { Ask, Change } from './request-model.ts'

/** A change of a table, kept or rolled back; what it shows embeds only other tables, whose rows stay as they are. */
export function randomChange(dice: Dice, schema: Schema, data: Data): Ask {
  const table = dice.of(schema.tables)
  const source = { kind: 'table', name: table.name } as const
  const shown = dice.chance(60)
    ? randomRows(dice, schema, { source, depth: 1, ordered: false, avoid: table.name })
    : undefined
  return {
    kind: 'change',
    table: table.name,
    change: randomKind(dice, table, data),
    // Only the change's own filters choose rows.
    ...(shown === undefined ? {} : { shown: { ...shown, filters: [] } }),
    keeps: dice.chance(30),
  }
}

function randomKind(dice: Dice, table: Table, data: Data): Change {
  const kind = dice.of(['insert', 'insert', 'update', 'update', 'delete'] as const)
  if (kind === 'insert') return randomInsert(dice, table, data)
  const filters = dice.chance(85) ? randomFilters(dice, table.columns, []) : []
  if (kind === 'delete') return { kind, filters }
  return { kind, filters, set: randomSet(dice, table) }
}

/** Keys are left alone. */
function randomSet(dice: Dice, table: Table): Row {
  const free = table.columns.filter(
    ({ name }) => !table.primaryKey.includes(name) && !table.keys.some(({ column }) => column === name),
  )
  const chosen = dice.some(free, 40)
  return Object.fromEntries(
    (chosen.length === 0 ? [dice.of(free)] : chosen).map(({ name, type }) => [name, randomValue(dice, type)]),
  )
}

/** Rows with all columns; those of an upsert may be there already. */
function randomInsert(dice: Dice, table: Table, data: Data): Change {
  const before = data[table.name] ?? []
  const conflict = dice.chance(50) ? dice.of(['merge', 'ignore'] as const) : undefined
  const firstId = Math.max(0, ...before.map((row) => Number(row['id'] ?? 0))) + 1
  const rows: Row[] = []
  for (let index = 0, count = dice.number(1, 3); index < count; index += 1) {
    const fresh = withoutUniqueKeys(table, randomRow(dice, table, { id: firstId + index, data }))
    const row =
      conflict !== undefined && before.length > 0 && dice.chance(60) ? withKeyOf(table, fresh, dice.of(before)) : fresh
    const isNew = !isTaken(table, rows, row) && (conflict !== undefined || !isTaken(table, before, row))
    if (isNew && !refersToNothing(table, row, data)) rows.push(row)
  }
  if (rows.length > 0) return { kind: 'insert', rows, ...(conflict === undefined ? {} : { conflict }) }
  return { kind: 'update', filters: [], set: randomSet(dice, table) }
}

function withoutUniqueKeys(table: Table, row: Row): Row {
  const free = table.keys.filter(({ unique }) => unique).map(({ column }): [string, Value] => [column, null])
  return { ...row, ...Object.fromEntries(free) }
}

function withKeyOf({ primaryKey }: Table, row: Row, old: Row): Row {
  return { ...row, ...Object.fromEntries(primaryKey.map((name) => [name, old[name] ?? null])) }
}

/** A junction of an empty table cannot have rows. */
function refersToNothing(table: Table, row: Row, data: Data): boolean {
  return (
    table.name === junctionName &&
    table.keys.some(({ table: to, column }) => !(data[to] ?? []).some((other) => other['id'] === row[column]))
  )
}
