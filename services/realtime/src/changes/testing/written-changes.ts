import type { Change, Column, Relation } from '@pando/changes/change'
import type { Queries } from '@pando/postgres/database'

export type Identity = Relation['replicaIdentity']

/** Changes as the log would have them, written by hand: tests here are not about reading the log. */
export type Writer = {
  readonly relation: Relation
  insert(row: Row): Change
  update(row: Row, old?: Row): Change
  remove(old: Row): Change
}
export type Row = Readonly<Record<string, string | null>>

let written = 0
let described = 0

/** Reads the table's columns as they are now. */
export async function openWriter(database: Queries, table: string, identity: Identity = 'default'): Promise<Writer> {
  const rows = await database.query<{ oid: string; schema: string; table: string; columns: string }>(listColumns, [
    table,
  ])
  const { oid, schema, table: name, columns } = rows[0]!
  const all = (JSON.parse(columns) as Column[]).map((column) => ({
    ...column,
    isKey: column.isKey || identity === 'full',
  }))
  const relation: Relation = {
    oid: Number(oid),
    schema,
    table: name,
    replicaIdentity: identity,
    columns: all,
    describedAt: String((described += 1)),
  }
  const toValues = (row: Row | undefined): Change['row'] => row && relation.columns.map((column) => row[column.name])
  const toOld = (row: Row): Change['old'] =>
    relation.columns.map(({ name: column, isKey }) => (isKey ? row[column] : undefined))
  const write = (kind: Change['kind'], row: Row | undefined, old: Row | undefined): Change => ({
    cursor: `0000000000000000.${String((written += 1)).padStart(6, '0')}`,
    kind,
    relation,
    row: toValues(row),
    old: old && toOld(old),
    committedAt: '2026-11-22T13:05:12.123456Z',
  })
  return {
    relation,
    insert: (row) => write('insert', row, undefined),
    update: (row, old) => write('update', row, old),
    remove: (old) => write('delete', undefined, old),
  }
}

const listColumns = `
select c.oid::text, n.nspname as schema, c.relname as table, json_agg(json_build_object(
  'name', a.attname, 'typeOid', a.atttypid::bigint, 'typeName', t.typname, 'isKey', coalesce(a.attnum = any (i.indkey), false)
) order by a.attnum)::text as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_index i on i.indrelid = c.oid and i.indisprimary
where c.oid = $1::regclass
group by 1, 2, 3`
