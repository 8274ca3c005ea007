import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { Queries } from '@pando/postgres/database'

/** What a plan is made from. */
export type ShardFacts = {
  /** Tables of the looked-at schemas, sorted by name; a partition is a part of its table. */
  readonly tables: readonly TableFact[]
  /** From one of those tables, or to one of them from anywhere. */
  readonly foreignKeys: readonly ForeignKeyFact[]
  /** Tables that Citus keeps already; undefined on a server without Citus. */
  readonly placed?: readonly PlacedFact[]
}

export type TableFact = QualifiedName & {
  /** With its indexes and partitions, before Citus has it. */
  readonly bytes: number
  readonly persistence: 'permanent' | 'unlogged' | 'temporary'
  readonly isPartitioned: boolean
  /** One of its partitions is partitioned again. */
  readonly hasNestedPartitions: boolean
  /** Inherits from another table or is inherited from, without being partitioned. */
  readonly inherits: boolean
  /** Whether realtime follows its changes. */
  readonly isFollowed: boolean
  /** Whether answers about it are kept. */
  readonly isCached: boolean
  readonly columns: readonly ColumnFact[]
  /** All that enforce something across rows: primary key, unique and exclusion constraints, unique indexes. */
  readonly uniques: readonly UniqueFact[]
  readonly policies: readonly PolicyFact[]
  /** Those that somebody made. */
  readonly triggers: readonly string[]
}

export type ColumnFact = {
  readonly name: string
  /** As `format_type` writes it. */
  readonly type: string
  readonly isNotNull: boolean
  readonly isGenerated: boolean
  /** Whether equal values have equal hashes; not asked of arrays, ranges and rows, which are no keys. */
  readonly isHashable: boolean
}

export type UniqueFact = {
  readonly name: string
  readonly kind: 'primary key' | 'unique constraint' | 'unique index' | 'exclusion constraint'
  /** Columns in which equal rows conflict; expressions are left out. */
  readonly columns: readonly string[]
  /** How it is written, without its name. */
  readonly definition: string
}

export type PolicyFact = {
  readonly name: string
  /** Whether one of its expressions has a sub-select. */
  readonly hasSubselect: boolean
  readonly using: string | null
  readonly check: string | null
}

export type ForeignKeyFact = {
  readonly name: string
  readonly from: QualifiedName
  readonly to: QualifiedName
  /** Pairs (column of `from`, column of `to`). */
  readonly columns: readonly (readonly [from: string, to: string])[]
  readonly onDelete: Action
  readonly onUpdate: Action
}

export type Action = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

export type PlacedFact = QualifiedName & {
  readonly place: 'distributed' | 'reference' | 'managed'
  /** Of a distributed table. */
  readonly key: string | null
}

/** Reads the facts of all tables of some schemas. Needs no privileges on the tables. */
export async function readShardFacts(queries: Queries, schemas: readonly string[]): Promise<ShardFacts> {
  const [tables, foreignKeys] = [
    await readAll<TableFact>(queries, listTables, [schemas]),
    await readAll<ForeignKeyFact>(queries, listForeignKeys, [schemas]),
  ]
  const [{ isThere } = { isThere: false }] = await queries.query<{ isThere: boolean }>(findCitus)
  return { tables, foreignKeys, ...(isThere && { placed: await readAll<PlacedFact>(queries, listPlaced) }) }
}

async function readAll<Fact>(queries: Queries, text: string, values: readonly unknown[] = []): Promise<Fact[]> {
  return (await queries.query<{ fact: Fact }>(text, values)).map(({ fact }) => fact)
}

/** The catalogue of Citus is there as soon as its extension is. */
export const findCitus = `select pg_catalog.to_regclass('pg_catalog.pg_dist_partition') is not null as "isThere"`

const listTables = `
select json_build_object(
  'schema', n.nspname,
  'name', c.relname,
  'bytes', (
    select coalesce(sum(pg_total_relation_size(part.relid)), 0)
    from (select relid from pg_partition_tree(c.oid) union select c.oid) as part (relid)
  ),
  'persistence', case c.relpersistence when 'p' then 'permanent' when 'u' then 'unlogged' else 'temporary' end,
  'isPartitioned', c.relkind = 'p',
  'hasNestedPartitions', exists (
    select from pg_partition_tree(c.oid) part where not part.isleaf and part.relid <> c.oid
  ),
  'inherits', c.relkind = 'r' and exists (
    select from pg_inherits i where c.oid in (i.inhrelid, i.inhparent)
  ),
  'isFollowed', 'supabase_realtime' = any (published.names),
  'isCached', 'pando_cache' = any (published.names),
  'columns', (
    select coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'isNotNull', a.attnotnull,
      'isGenerated', a.attgenerated <> '',
      'isHashable', exists (
        select from pg_opclass o
        join pg_am m on m.oid = o.opcmethod and m.amname = 'hash'
        join pg_type t on t.oid = a.atttypid
        left join pg_type base on base.oid = t.typbasetype
        where o.opcdefault and (
          o.opcintype in (t.oid, base.oid)
          or o.opcintype = 'text'::regtype and 'varchar'::regtype in (t.oid, base.oid)
          or o.opcintype = 'anyenum'::regtype and t.typtype = 'e'
        )
      )
    ) order by a.attnum), '[]')
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ),
  'uniques', (
    select coalesce(json_agg(json_build_object(
      'name', index_class.relname,
      'kind', case
        when i.indisprimary then 'primary key'
        when k.contype = 'u' then 'unique constraint'
        when k.contype = 'x' then 'exclusion constraint'
        else 'unique index'
      end,
      'columns', (
        select coalesce(json_agg(a.attname order by part.position), '[]')
        from unnest(i.indkey::int2[]) with ordinality as part (attnum, position)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = part.attnum
        where part.position <= i.indnkeyatts
          and (k.contype is distinct from 'x' or exists (
            select from pg_amop o
            join pg_am m on m.oid = o.amopmethod and m.amname = 'btree'
            where o.amopopr = k.conexclop[part.position] and o.amopstrategy = 3
          ))
      ),
      'definition', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid))
    ) order by not i.indisprimary, index_class.relname), '[]')
    from pg_index i
    join pg_class index_class on index_class.oid = i.indexrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = c.oid and k.contype in ('p', 'u', 'x')
    where i.indrelid = c.oid and (i.indisunique or i.indisexclusion)
  ),
  'policies', (
    select coalesce(json_agg(json_build_object(
      'name', p.polname,
      'hasSubselect', concat(p.polqual, p.polwithcheck) like '%{SUBLINK %',
      'using', pg_get_expr(p.polqual, p.polrelid),
      'check', pg_get_expr(p.polwithcheck, p.polrelid)
    ) order by p.polname), '[]')
    from pg_policy p
    where p.polrelid = c.oid
  ),
  'triggers', (
    select coalesce(json_agg(t.tgname order by t.tgname), '[]')
    from pg_trigger t
    where t.tgrelid = c.oid and not t.tgisinternal
  )
) as fact
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select array(
    select p.pubname::text
    from pg_publication p
    cross join lateral pg_get_publication_tables(p.pubname::text) as member
    where member.relid = c.oid or member.relid in (select part.relid from pg_partition_tree(c.oid) as part)
  ) as names
) as published
where n.nspname = any ($1)
  and c.relkind in ('r', 'p')
  and not c.relispartition
  and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by n.nspname, c.relname`

const listForeignKeys = `
select json_build_object(
  'name', k.conname,
  'from', json_build_object('schema', from_schema.nspname, 'name', from_table.relname),
  'to', json_build_object('schema', to_schema.nspname, 'name', to_table.relname),
  'columns', (
    select json_agg(json_build_array(from_column.attname, to_column.attname) order by part.position)
    from unnest(k.conkey, k.confkey) with ordinality as part (from_number, to_number, position)
    join pg_attribute from_column on from_column.attrelid = k.conrelid and from_column.attnum = part.from_number
    join pg_attribute to_column on to_column.attrelid = k.confrelid and to_column.attnum = part.to_number
  ),
  'onDelete', action.on_delete,
  'onUpdate', action.on_update
) as fact
from pg_constraint k
join pg_class from_table on from_table.oid = k.conrelid
join pg_namespace from_schema on from_schema.oid = from_table.relnamespace
join pg_class to_table on to_table.oid = k.confrelid
join pg_namespace to_schema on to_schema.oid = to_table.relnamespace
cross join lateral (
  select names ->> k.confdeltype::text, names ->> k.confupdtype::text
  from (values ('{"a":"no action","r":"restrict","c":"cascade","n":"set null","d":"set default"}'::json)) as n (names)
) as action (on_delete, on_update)
where k.contype = 'f'
  and k.conparentid = 0
  and (from_schema.nspname = any ($1) or to_schema.nspname = any ($1))
order by from_schema.nspname, from_table.relname, k.conname`

/** `repmodel` t: a copy on every server. A table without a key that is not copied is one that Citus merely manages. */
const listPlaced = `
select json_build_object(
  'schema', n.nspname,
  'name', c.relname,
  'place', case
    when d.partmethod = 'h' then 'distributed'
    when d.partmethod = 'n' and d.repmodel = 't' then 'reference'
    else 'managed'
  end,
  'key', case when d.partmethod = 'h' then column_to_column_name(d.logicalrelid, d.partkey) end
) as fact
from pg_dist_partition d
join pg_class c on c.oid = d.logicalrelid
join pg_namespace n on n.oid = c.relnamespace
order by n.nspname, c.relname`
