import type { Change, Relation, Values } from '@pando/changes/change'
import type { EncodeValue } from './encode-value.ts'
import { toEncoder } from './encode-value.ts'
import type { TableFacts } from './facts.ts'

/** Above this many bytes of values a change keeps only its short values and says so. */
export const changeBytesMax = 1024 * 1024
/** How long a value's JSON may be to stay in a change that is too large. */
const keptBytesMax = 64

const tooLarge = 'Error 413: Payload Too Large'

/** One column of the log that a set of subscribers may see. */
type Seen = { readonly at: number; readonly name: string; readonly isKey: boolean; readonly encode: EncodeValue }

/** Writes changes of one table for those who see the same columns. */
export type ChangeEncoder = {
  /** Without `showsOld` the old record of an update is its key alone. */
  encode(change: Change, options: { readonly showsOld: boolean }): string
  /** Names the row that changed; undefined without a primary key in the log, and for an update of the key itself. */
  keyOf(change: Change): string | undefined
}

/**
 * `select` is what subscribers chose; the primary key is always with it. Columns that the role may not select are never
 * in it. The log's columns are found by name, because it lacks some that the table has (generated ones).
 */
export function createChangeEncoder(
  facts: TableFacts,
  relation: Relation,
  select: readonly string[] | undefined,
): ChangeEncoder {
  const key = new Set(facts.key)
  const chosen = facts.columns.filter(
    ({ name, selectable }) => selectable && (select === undefined || select.includes(name) || key.has(name)),
  )
  const types = new Map(facts.types.map((type) => [type.oid, type]))
  const places = new Map(relation.columns.map(({ name }, at) => [name, at]))
  const seen = chosen.flatMap(({ name, typeOid }): Seen[] => {
    const at = places.get(name)
    return at === undefined
      ? []
      : [{ at, name: `${JSON.stringify(name)}:`, isKey: key.has(name), encode: toEncoder(typeOid, types) }]
  })
  const inKey = seen.filter(({ isKey }) => isKey)
  const head = `{"schema":${JSON.stringify(facts.schema)},"table":${JSON.stringify(facts.table)},"commit_timestamp":"`
  const columns = JSON.stringify(chosen.map(({ name, typeName }) => ({ name, type: typeName })))
  return {
    encode(change, { showsOld }) {
      const isLarge = countBytes(change) > changeBytesMax
      const members = [`"type":"${change.kind.toUpperCase()}"`, `"columns":${columns}`]
      const { row, old } = change
      if (row !== undefined) members.push(`"record":${encodeValues(seen, fillIn(row, old), isLarge)}`)
      if (change.kind === 'update')
        members.push(`"old_record":${encodeValues(showsOld ? seen : inKey, toOld(relation, change), isLarge)}`)
      // Row security cannot be asked about a row that is gone, so that only its key goes out.
      const tellable = facts.hasRowSecurity ? inKey : seen
      if (change.kind === 'delete') members.push(`"old_record":${encodeValues(tellable, old ?? [], isLarge)}`)
      members.push(`"errors":${isLarge ? JSON.stringify([tooLarge]) : 'null'}`)
      return `${head}${toMilliseconds(change.committedAt)}",${members.join(',')}}`
    },
    keyOf({ kind, row, old }) {
      const keyIn = (values: Values = []): Values => facts.key.map((name) => values[places.get(name) ?? -1])
      const named = keyIn(row ?? old)
      const isMoved = kind === 'update' && keyIn(old).some((value, at) => value !== undefined && value !== named[at])
      if (isMoved || named.length === 0 || named.includes(undefined)) return undefined
      return JSON.stringify([facts.oid, ...named])
    },
  }
}

/** What goes out instead of a row that cannot be told. */
export function encodeRefusal(facts: TableFacts, change: Change, error: string): string {
  return JSON.stringify({
    schema: facts.schema,
    table: facts.table,
    commit_timestamp: toMilliseconds(change.committedAt),
    type: change.kind.toUpperCase(),
    columns: [],
    errors: [error],
  })
}

/** Long values that an update did not touch are not in the new row, but in the old one with replica identity `full`. */
export function fillIn(row: Values, old: Values | undefined): Values {
  return row.includes(undefined) ? row.map((value, at) => (value === undefined ? old?.[at] : value)) : row
}

/** An update that leaves the key alone does not send it again. */
function toOld({ columns }: Relation, { row, old }: Change): Values {
  return old ?? columns.map(({ isKey }, at) => (isKey ? row?.[at] : undefined))
}

function encodeValues(seen: readonly Seen[], values: Values, isLarge: boolean): string {
  const members: string[] = []
  for (const { at, name, encode } of seen) {
    const value = values[at]
    if (value === undefined) continue
    const json = value === null ? 'null' : encode(value)
    if (!isLarge || Buffer.byteLength(json) <= keptBytesMax) members.push(name + json)
  }
  return `{${members.join(',')}}`
}

function countBytes({ row, old }: Change): number {
  let bytes = 0
  for (const values of [row, old]) {
    for (const value of values ?? []) if (typeof value === 'string') bytes += value.length
  }
  // UTF-8 takes at most three bytes for a unit of a string: most changes need no exact count.
  return bytes * 3 <= changeBytesMax ? bytes : countExactly(row) + countExactly(old)
}

function countExactly(values: Values | undefined): number {
  return (values ?? []).reduce((bytes, value) => bytes + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0)
}

/** The protocol has milliseconds. */
const toMilliseconds = (committedAt: string): string => committedAt.replace(/(\.\d{3})\d*Z$/, '$1Z')
