import type { Dice } from './dice.ts'
import type { Caller, Data, Role, Row, Schema, Table } from './policy-model.ts'
import { visibleRows, worldOf } from './policy-oracle.ts'
import { isTaken, randomRow } from './random-schema.ts'
import type { Ask, Read, Source } from './request-model.ts'

/**
 * Other rows for the same schema that one caller cannot tell apart: what the caller may not read is altered, removed or
 * added to; all that the caller may read is the same. Whatever differs between answers over both is a leak.
 */
export function twinData(dice: Dice, { schema, data, caller }: { schema: Schema; data: Data; caller: Caller }): Data {
  const before = sightOf(schema, data, caller)
  let twin = data
  const propose = (table: Table, change: (rows: readonly Row[]) => readonly Row[]): void => {
    const next = { ...twin, [table.name]: change(twin[table.name] ?? []) }
    if (isSound(schema, next) && sightOf(schema, next, caller) === before) twin = next
  }
  for (const table of schema.tables) {
    for (const row of data[table.name] ?? []) {
      if (isSeen(schema, data, { caller, table, row })) continue
      const other = { ...randomRow(dice, table, { id: 0, data }), ...keyOf(table, row) }
      propose(table, (rows) =>
        dice.chance(30) ? rows.filter((each) => each !== row) : rows.map((each) => (each === row ? other : each)),
      )
    }
    for (const id of [101, 102, 103]) propose(table, (rows) => [...rows, randomRow(dice, table, { id, data })])
  }
  return twin
}

const readersOf = ({ role }: Caller): Role[] => (role === 'authenticated' ? [role] : [role, 'authenticated'])

/** Everything that a caller may see, also through views that are read as `authenticated`. */
function sightOf(schema: Schema, data: Data, caller: Caller): string {
  const world = worldOf(schema, data, caller)
  return JSON.stringify(
    readersOf(caller).flatMap((role) => schema.tables.map(({ name }) => visibleRows(world, role, name))),
  )
}

function isSeen(
  schema: Schema,
  data: Data,
  { caller, table, row }: { caller: Caller; table: Table; row: Row },
): boolean {
  const world = worldOf(schema, data, caller)
  return readersOf(caller).some((role) => visibleRows(world, role, table.name).includes(row))
}

function keyOf({ primaryKey }: Table, row: Row): Row {
  return Object.fromEntries(primaryKey.map((name) => [name, row[name] ?? null]))
}

/** Whether keys are unique and lead to rows. */
function isSound({ tables }: Schema, data: Data): boolean {
  return tables.every((table) => {
    const rows = data[table.name] ?? []
    const isUnique = rows.every((row, index) => !isTaken(table, rows.slice(0, index), row))
    const leads = ({ column, table: to }: Table['keys'][number]): boolean =>
      rows.every((row) => row[column] === null || (data[to] ?? []).some((other) => other['id'] === row[column]))
    return isUnique && table.keys.every(leads)
  })
}

/** Whether a read looks past the caller's policies by design: through the owner's eyes. */
export function looksPast(schema: Schema, ask: Ask): boolean {
  const isOwners = ({ kind, name }: Source): boolean =>
    (kind === 'function' && name.startsWith('all_')) ||
    (kind === 'view' && schema.views.some((view) => view.name === name && view.as === 'owner'))
  const looks = (read: Read): boolean =>
    isOwners(read.source) ||
    read.select.some((item) => (item.kind === 'embed' || item.kind === 'spread') && looks(item.embed.read))
  return ask.kind === 'change' || looks(ask.read)
}

/** Requests for which the oracle has no answer; those over a twin have to be the same all the same. */
export function probingPaths(dice: Dice, schema: Schema): { path: string; headers: Record<string, string> } {
  const table = dice.of(schema.tables)
  const paths = [
    `${table.name}?team=match.(`,
    `${table.name}?select=team::int`,
    `${table.name}?select=owner,x:team.max()`,
    `${table.name}?select=team&team=imatch.^r`,
    `${table.name}?or=(team.like.*,owner.is.null)&select=owner`,
    `${table.name}?team=fts.red&select=owner`,
  ]
  const headers = dice.of<Record<string, string>>([
    { accept: 'text/csv' },
    { accept: 'application/vnd.pgrst.object+json' },
    { prefer: 'count=estimated' },
    { prefer: 'count=exact', range: '0-1' },
    { prefer: 'count=exact', range: '5-9' },
  ])
  return { path: `/rest/v1/${dice.of(paths)}`, headers: { ...headers, 'accept-profile': schema.name } }
}
