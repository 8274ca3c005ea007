import type { Command, Data, Row, Table } from './policy-model.ts'
import { tableOf } from './policy-model.ts'
import { mayLeave, mayTouch } from './policy-oracle.ts'
import { columnsOf, filterColumns, filtersHold, mayReadEmbeds, type Reader, showChanged } from './read-oracle.ts'
import type { Ask, Change, Expected } from './request-model.ts'

type ChangeAsk = Extract<Ask, { kind: 'change' }>

/** What a change must be answered with, and the rows that it leaves behind if it is kept. */
export type Outcome = { readonly expected: Expected; readonly data: Data }

/** A change by PostgreSQL's rules ("Policies Applied by Command Type"). */
export function expectChange(reader: Reader, ask: ChangeAsk): Outcome {
  const { data } = reader.world
  const denied: Outcome = { expected: { kind: 'denied' }, data }
  if (!isGranted(reader, ask)) return denied
  const result = carryOut(reader, ask)
  if (result === undefined) return denied
  const { changed } = result
  const orDenied = ask.shown !== undefined && !mayReadEmbeds(reader, ask.shown)
  const after = { ...data, [ask.table]: result.rows }
  if (ask.change.kind === 'delete' && isReferenced(reader, ask.table, after)) {
    return { expected: { kind: 'referenced', orDenied }, data }
  }
  if (ask.shown === undefined) return { expected: { kind: 'done', affected: changed.length }, data: after }
  const rows = showChanged(reader, ask.shown, changed)
  return { expected: { kind: 'rows', rows, total: changed.length, orDenied }, data: after }
}

/** Privileges of the statement, whatever rows there are. */
function isGranted(reader: Reader, { table, change, shown }: ChangeAsk): boolean {
  const { world, role } = reader
  if (role === 'owner') return true
  const { commands, select } = tableOf(world.schema, table).grants[role]
  const needed: Command[] =
    change.kind === 'insert' && change.conflict === 'merge' ? ['insert', 'update'] : [change.kind]
  const read = change.kind === 'insert' ? mergedColumns(change) : change.filters.flatMap(filterColumns)
  const returned = shown === undefined ? [] : columnsOf(reader, shown)
  return (
    needed.every((command) => commands.includes(command)) &&
    [...read, ...returned].every((name) => select.includes(name))
  )
}

/** What a conflict takes over from the row that was to go in counts as read. */
function mergedColumns({ conflict, rows }: Extract<Change, { kind: 'insert' }>): string[] {
  return conflict === 'merge' ? rows.flatMap((row) => Object.keys(row)) : []
}

type Result = { readonly rows: readonly Row[]; readonly changed: readonly Row[] }

/** Undefined when a policy refuses a row. */
function carryOut(reader: Reader, ask: ChangeAsk): Result | undefined {
  const { change } = ask
  if (change.kind === 'insert') return insert(reader, ask, change)
  const table = tableOf(reader.world.schema, ask.table)
  // Only a statement that reads columns needs the right to read rows.
  const reads = change.filters.length > 0 || ask.shown !== undefined
  const rows = reader.world.data[ask.table] ?? []
  const isMeant = (row: Row): boolean =>
    mayTouch(reader.world, reader.role, { table, row, command: change.kind }) &&
    (!reads || isReadable(reader, table, row)) &&
    filtersHold(change.filters, row)
  const meant = rows.filter(isMeant)
  if (change.kind === 'delete') return { rows: rows.filter((row) => !meant.includes(row)), changed: meant }
  const changed = meant.map((row) => ({ ...row, ...change.set }))
  const isAllowed = (row: Row): boolean =>
    mayLeave(reader.world, reader.role, { table, row, command: 'update' }) && (!reads || isReadable(reader, table, row))
  if (!changed.every(isAllowed)) return undefined
  return { rows: rows.map((row) => (meant.includes(row) ? { ...row, ...change.set } : row)), changed }
}

const isReadable = ({ world, role }: Reader, table: Table, row: Row): boolean =>
  mayTouch(world, role, { table, row, command: 'select' })

/** A conflict reads the key, so everything that goes in must be readable, and what was there may be updated. */
function insert(
  reader: Reader,
  ask: ChangeAsk,
  { rows, conflict }: Extract<Change, { kind: 'insert' }>,
): Result | undefined {
  const { world, role } = reader
  const table = tableOf(world.schema, ask.table)
  const reads = conflict !== undefined || ask.shown !== undefined
  const before = world.data[ask.table] ?? []
  const full = rows.map((row): Row => Object.fromEntries(table.columns.map(({ name }) => [name, row[name] ?? null])))
  const mayEnter = (row: Row): boolean =>
    mayLeave(world, role, { table, row, command: 'insert' }) && (!reads || isReadable(reader, table, row))
  if (!full.every(mayEnter)) return undefined
  const oldOf = (row: Row): Row | undefined =>
    before.find((old) => table.primaryKey.every((name) => old[name] === row[name]))
  const fresh = full.filter((row) => oldOf(row) === undefined)
  if (conflict !== 'merge') return { rows: [...before, ...fresh], changed: fresh }
  const merged: [old: Row, row: Row][] = []
  for (const [index, row] of full.entries()) {
    const old = oldOf(row)
    if (old === undefined) continue
    const next = { ...old, ...rows[index] }
    if (!mayTouch(world, role, { table, row: old, command: 'update' }) || !isReadable(reader, table, old))
      return undefined
    if (!mayLeave(world, role, { table, row: next, command: 'update' }) || !isReadable(reader, table, next))
      return undefined
    merged.push([old, next])
  }
  const replaced = before.map((row) => merged.find(([old]) => old === row)?.[1] ?? row)
  return { rows: [...replaced, ...fresh], changed: [...fresh, ...merged.map(([, next]) => next)] }
}

function isReferenced({ world }: Reader, name: string, data: Data): boolean {
  const kept = new Set((data[name] ?? []).map((row) => row['id']))
  return world.schema.tables.some(({ keys, name: from }) =>
    keys.some(
      (key) =>
        key.table === name && (data[from] ?? []).some((row) => row[key.column] !== null && !kept.has(row[key.column]!)),
    ),
  )
}
