import type { RowCount } from '@pando/contract/overview'
import type { Database } from '@pando/postgres/database'

/**
 * Live rows of every table of the schemas, by name, from Postgres' statistics: the authenticator, as whom this runs,
 * may not read the tables themselves. They follow a change within a second or so.
 */
export async function countRows(tools: Database, schemas: readonly string[]): Promise<readonly RowCount[]> {
  return tools.query<RowCount & Record<string, unknown>>(listTables, [schemas])
}

const listTables = `
select
  n.nspname as schema,
  c.relname as name,
  coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0))::float8 as rows,
  has_schema_privilege('anon', n.oid, 'usage') and has_table_privilege('anon', c.oid, 'select') as readable
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any ($1)
order by n.nspname, c.relname
`
