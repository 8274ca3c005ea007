import type { Queries } from '@pando/postgres/database'

/** What a cluster holds. */
export type ShardStatus = {
  readonly tables: readonly TableStatus[]
  readonly nodes: readonly NodeStatus[]
  /** What the rebalancer would do now. */
  readonly moves: { readonly shards: number; readonly bytes: number }
}

export type TableStatus = {
  /** As Postgres writes it: without the schema where the search path finds it. */
  readonly table: string
  /** `managed` is one that Citus keeps on the coordinator. */
  readonly kind: 'distributed' | 'reference' | 'managed'
  readonly key: string | null
  /** Equal numbers are together. */
  readonly group: number
  readonly shards: number
  readonly bytes: number
}

export type NodeStatus = {
  /** `host:port`. */
  readonly node: string
  readonly isActive: boolean
  readonly shards: number
  readonly bytes: number
}

/** Reads what a coordinator knows; sizes are asked of all servers. Run as the owner of the tables or a superuser. */
export async function readShardStatus(queries: Queries): Promise<ShardStatus> {
  const tables = await queries.query<TableStatus>(listTables)
  const nodes = await queries.query<NodeStatus>(listNodes)
  const [moves = { shards: 0, bytes: 0 }] = await queries.query<ShardStatus['moves']>(countMoves)
  return { tables, nodes, moves }
}

const listTables = `
select d.logicalrelid::text as table,
  case when d.partmethod = 'h' then 'distributed' when d.repmodel = 't' then 'reference' else 'managed' end as kind,
  case when d.partmethod = 'h' then pg_catalog.column_to_column_name(d.logicalrelid, d.partkey) end as key,
  d.colocationid as group,
  count(distinct s.shardid)::int as shards,
  coalesce(sum(s.shard_size), 0)::float8 as bytes
from pg_catalog.pg_dist_partition d
left join pg_catalog.citus_shards s on s.table_name = d.logicalrelid
group by d.logicalrelid, d.partmethod, d.repmodel, d.partkey, d.colocationid
order by d.colocationid, 1`

const listNodes = `
select n.nodename || ':' || n.nodeport as node, n.isactive as "isActive",
  count(s.shardid)::int as shards, coalesce(sum(s.shard_size), 0)::float8 as bytes
from pg_catalog.pg_dist_node n
left join pg_catalog.citus_shards s on s.nodename = n.nodename and s.nodeport = n.nodeport
where n.noderole = 'primary'
group by n.nodename, n.nodeport, n.isactive
order by 1`

const countMoves = `
select count(*)::int as shards, coalesce(sum(shard_size), 0)::float8 as bytes
from pg_catalog.get_rebalance_table_shards_plan()`
