/** Voids the search path until the end of the transaction, so that every name that Postgres prints is qualified. */
export const emptySearchPath = `select pg_catalog.set_config('search_path', '', true)`

/** Every `PublishedTable`. `$1` is the publication. */
export const listPublished = `
select n.nspname::text as schema, c.relname::text as table, realtime.rows_elsewhere(c.oid) as "rowsElsewhere"
from pg_catalog.pg_publication_tables p
join pg_catalog.pg_namespace n on n.nspname = p.schemaname
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
where p.pubname = $1
order by 1, 2`

/**
 * `TableFacts` as JSON, with the sources of the claims' functions instead of their names. `$1` schema, `$2` table, `$3`
 * role, `$4` publication. What a policy's subqueries read is known from pg_depend.
 */
export const findTable = `
with recursive asked as (
  select c.*, n.nspname, r.oid as role_oid, r.rolsuper or r.rolbypassrls as bypasses
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_roles r on r.rolname = $3
  where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
),
concerning as (
  select p.*, pg_get_expr(p.polqual, p.polrelid) as using
  from asked c
  join pg_policy p on p.polrelid = c.oid
  where p.polcmd in ('r', '*') and p.polqual is not null
    and exists (
      select from unnest(p.polroles) as named where named = 0 or pg_has_role(c.role_oid, named, 'usage')
    )
),
used_types (oid) as (
  select a.atttypid from asked c join pg_attribute a on a.attrelid = c.oid where a.attnum > 0 and not a.attisdropped
  union
  select made_of.oid
  from used_types u
  join pg_type t on t.oid = u.oid
  cross join lateral (
    select t.typelem where t.typcategory = 'A' and t.typelem <> 0
    union all
    select t.typbasetype where t.typtype = 'd'
    union all
    select a.atttypid from pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ) as made_of (oid)
)
select json_build_object(
  'oid', c.oid::bigint, 'schema', c.nspname, 'table', c.relname,
  'isPublished', exists (
    select from pg_publication_tables p
    where p.pubname = $4 and p.schemaname = c.nspname and p.tablename = c.relname),
  'rowsElsewhere', realtime.rows_elsewhere(c.oid),
  'isUsable', has_schema_privilege(c.role_oid, c.relnamespace, 'usage'),
  'hasRowSecurity', c.relrowsecurity,
  'policiesApply', c.relrowsecurity and not c.bypasses
    and (c.relforcerowsecurity or not pg_has_role(c.role_oid, c.relowner, 'usage')),
  'columns', (
    select coalesce(json_agg(json_build_object(
      'name', a.attname, 'typeOid', a.atttypid::bigint, 'typeName', t.typname,
      'typeText', format_type(a.atttypid, -1),
      'collation', case
        when not coalesce(l.collisdeterministic, true) then 'other'
        when l.oid = 100 then (
          select case
            when d.datlocprovider = 'b' or d.datlocprovider = 'c' and d.datcollate in ('C', 'POSIX') then 'bytes'
            else 'deterministic'
          end from pg_database d where d.datname = current_database())
        when l.collprovider = 'b' or l.collprovider = 'c' and l.collcollate in ('C', 'POSIX') then 'bytes'
        else 'deterministic'
      end,
      'collationOid', a.attcollation::bigint, 'isGenerated', a.attgenerated <> '',
      'selectable', has_column_privilege(c.role_oid, c.oid, a.attnum, 'select')
    ) order by a.attnum), '[]')
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_collation l on l.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'key', (
    select coalesce(json_agg(a.attname order by a.attnum), '[]')
    from pg_index i
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    where i.indrelid = c.oid and i.indisprimary),
  'types', (
    select coalesce(json_agg(json_build_object(
      'oid', t.oid::bigint, 'kind', t.typtype, 'delimiter', t.typdelim, 'base', t.typbasetype::bigint,
      'element', case when t.typcategory = 'A' then t.typelem::bigint else 0 end,
      'fields', (
        select coalesce(json_agg(json_build_array(a.attname, a.atttypid::bigint) order by a.attnum), '[]')
        from pg_attribute a
        where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
    )), '[]')
    from pg_type t where t.oid in (select oid from used_types)),
  'policies', (
    select coalesce(json_agg(json_build_object(
      'name', p.polname, 'isPermissive', p.polpermissive, 'using', p.using
    ) order by p.polname), '[]')
    from concerning p),
  'readsGuarded', exists (
    select from pg_depend d
    join pg_class read on read.oid = d.refobjid
    where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_class'::regclass
      and d.objid in (select oid from concerning) and read.oid <> c.oid
      and (read.relkind not in ('r', 'p') or read.relrowsecurity)),
  'claimSources', (
    select coalesce(json_object_agg(p.proname, p.prosrc), '{}')
    from pg_proc p
    where p.pronamespace = to_regnamespace('auth') and p.pronargs = 0
      and p.proname in ('uid', 'role', 'email', 'jwt'))
)::text as facts
from asked c`

/** What a type reads from an operand, as text. `$1` operator, `$2` type, `$3` operand. */
export const readOperand = `select realtime.read_operand($1, $2::bigint::oid, $3) as operand`

/** Those of the transactions `$1` that are not visible to others yet. The log numbers them by 32 bits: the ones nearest to the next. */
const unseen = `
  select
  from unnest($1::bigint[]) as xid,
    lateral (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) as here
  where not pg_visible_in_snapshot(
    (next + ((xid - next + 2147483648) & 4294967295) - 2147483648)::text::xid8, pg_current_snapshot())`

/** Whether others see all of the transactions `$1`. */
export const areSeen = `select not exists (${unseen}) as seen`

/** Answers for questions `$2`, both as JSON; null when one of the transactions `$1` is not visible to others yet. */
export const checkChanges = `
select case when not exists (${unseen}
) then realtime.check_changes($2::jsonb)::text end as answers`
