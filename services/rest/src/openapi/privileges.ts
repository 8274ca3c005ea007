import type { Catalogue, Column, Relation, Routine } from '@pando/catalogue/catalogue'

/** What a role may use of one schema. */
export type Privileges = {
  /** By relation's name: the columns that may be read or written. */
  readonly relations: ReadonlyMap<string, ReadonlySet<string>>
  /** Signatures, see `signatureOf`. */
  readonly routines: ReadonlySet<string>
}

/**
 * Lists what the current role may use of the schema `$1`, as one JSON text for `parsePrivileges`. To be run as the
 * caller, after the role has been set.
 */
export const listPrivileges = `
select json_build_object(
  'relations', coalesce((
    select json_object_agg(c.relname, coalesce((
      select json_agg(a.attname order by a.attnum)
      from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and has_column_privilege(c.oid, a.attnum, 'select, insert, update')
    ), '[]'::json))
    from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and (
        has_table_privilege(c.oid, 'select, insert, update, delete')
        or has_any_column_privilege(c.oid, 'select, insert, update')
      )
  ), '{}'::json),
  'routines', coalesce((
    select json_agg(p.proname || '(' || coalesce((
      select string_agg(
        case when s.nspname = 'pg_catalog' then format_type(a.type, null)
        else quote_ident(s.nspname) || '.' || quote_ident(e.typname) || case when e.oid = t.oid then '' else '[]' end end,
        ',' order by a.position
      )
      from unnest(p.proargtypes) with ordinality a (type, position)
      join pg_catalog.pg_type t on t.oid = a.type
      join pg_catalog.pg_type e on e.oid = case when t.typcategory = 'A' and t.typelem <> 0 then t.typelem else t.oid end
      join pg_catalog.pg_namespace s on s.oid = e.typnamespace
    ), '') || ')')
    from pg_catalog.pg_proc p
    where p.pronamespace = n.oid and has_function_privilege(p.oid, 'execute')
  ), '[]'::json)
)::text
from pg_catalog.pg_namespace n
where n.nspname = $1 and has_schema_privilege(n.oid, 'usage')
`

const nothing: Privileges = { relations: new Map(), routines: new Set() }

/** The single cell of `listPrivileges`; undefined (no row) when the role may not use the schema at all. */
export function parsePrivileges(cell: string | undefined): Privileges {
  if (cell === undefined) return nothing
  const found = JSON.parse(cell) as { relations: Record<string, string[]>; routines: string[] }
  const relations = new Map(Object.entries(found.relations).map(([name, columns]) => [name, new Set(columns)] as const))
  return { relations, routines: new Set(found.routines) }
}

/**
 * `name(type,type)`, as the statement writes it: types qualified unless they are of `pg_catalog`, as in the catalogue.
 */
export function signatureOf(routine: Routine): string {
  return `${routine.name}(${routine.parameters.map((parameter) => parameter.type).join(',')})`
}

/** The relations of a schema by name; with privileges, only what may be used, and only those columns. */
export function usableRelations(catalogue: Catalogue, schema: string, privileges?: Privileges): Relation[] {
  const all = [...catalogue.relations.values()].filter((relation) => relation.schema === schema)
  return all
    .map((relation) => (privileges === undefined ? relation : narrow(relation, privileges)))
    .filter((relation) => relation !== undefined)
    .sort(byName)
}

function narrow(relation: Relation, privileges: Privileges): Relation | undefined {
  const usable = privileges.relations.get(relation.name)
  if (usable === undefined) return undefined
  const isUsable = ([name]: readonly [string, Column]) => usable.has(name)
  return { ...relation, columns: new Map([...relation.columns].filter(isUsable)) }
}

/**
 * One routine a name, because a path can be described once: of the overloads that may be called the one with the most
 * parameters, the last in the catalogue's order.
 */
export function usableRoutines(catalogue: Catalogue, schema: string, privileges?: Privileges): Routine[] {
  const own = [...catalogue.routines.values()].flat().filter((routine) => routine.schema === schema)
  const usable = own.filter((routine) => privileges === undefined || privileges.routines.has(signatureOf(routine)))
  return [...new Map(usable.map((routine) => [routine.name, routine])).values()].sort(byName)
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0
}
