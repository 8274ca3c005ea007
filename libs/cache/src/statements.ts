/** What can be seen by the statements that follow. */
export const selectSnapshot = 'select pg_catalog.pg_current_snapshot()::text'

/**
 * A text that is another one whenever other callers may see other rows of the relations `oids` under `role`: policies, row
 * security, owners, the functions of the claims, the role itself, memberships. Where a row says much, who wrote it last (xmin)
 * stands for it.
 */
const stamp = (oids: string, role: string): string => `pg_catalog.concat_ws('/',
  (select pg_catalog.string_agg(pg_catalog.concat_ws('.', p.oid, p.xmin), ' ' order by p.oid)
   from pg_catalog.pg_policy as p where p.polrelid = any (${oids})),
  (select pg_catalog.string_agg(pg_catalog.concat_ws('.', c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity),
     ' ' order by c.oid)
   from pg_catalog.pg_class as c where c.oid = any (${oids})),
  (select pg_catalog.string_agg(pg_catalog.concat_ws('.', p.oid, p.xmin), ' ' order by p.oid)
   from pg_catalog.pg_proc as p
   where p.pronamespace = pg_catalog.to_regnamespace('auth') and p.pronargs = 0 and p.proname in ('uid', 'role', 'email', 'jwt')),
  (select pg_catalog.concat_ws('.', r.oid, r.rolsuper, r.rolbypassrls)
   from pg_catalog.pg_roles as r where r.rolname = ${role}),
  (select pg_catalog.concat_ws('.', pg_catalog.count(*), pg_catalog.bit_xor(pg_catalog.hashtextextended(m::text, 0)))
   from pg_catalog.pg_auth_members as m))`

/** The stamp alone. `$1` oids, `$2` role. */
export const selectStamp = `select ${stamp('$1::pg_catalog.oid[]', '$2')}`

/**
 * What is read by a read of some relations, as `Facts` in JSON: they, their partitions, and what policies that concern the
 * role read, which is known from pg_depend. `$1` role, `$2` schemas and `$3` names of the relations, `$4` the publications that
 * are read of the log, `$5` the one whose tables are kept. Wants an empty search path, so that every name that Postgres prints
 * is qualified.
 */
export const describeReads = `
with recursive asker as (
  select oid, rolsuper or rolbypassrls as bypasses from pg_roles where rolname = $1
),
published as (
  select told.relid as oid, bool_or(p.pubname = $5) as is_kept
  from pg_publication p
  cross join lateral pg_get_publication_tables(p.pubname::text) as told
  where p.pubname = any ($4) and p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and told.qual is null
  group by 1
),
concerning as (
  select p.oid, p.polrelid, pg_get_expr(p.polqual, p.polrelid) as using
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  cross join asker a
  where p.polcmd in ('r', '*') and p.polqual is not null
    and c.relrowsecurity and not a.bypasses
    and (c.relforcerowsecurity or not pg_has_role(a.oid, c.relowner, 'usage'))
    and exists (select from unnest(p.polroles) as named where named = 0 or pg_has_role(a.oid, named, 'usage'))
),
reached (oid) as (
  select c.oid
  from unnest($2::text[], $3::text[]) as asked (schema, name)
  join pg_namespace n on n.nspname = asked.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = asked.name
  union
  select next.oid
  from reached r
  cross join lateral (
    select i.inhrelid from pg_inherits i where i.inhparent = r.oid
    union all
    select d.refobjid
    from concerning p
    join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
    where p.polrelid = r.oid
  ) as next (oid)
),
told as (
  select r.oid, r.oid as told_as from reached r
  union
  select r.oid, ancestor.relid::oid from reached r cross join lateral pg_partition_ancestors(r.oid) as ancestor (relid)
)
select json_build_object(
  'snapshot', pg_current_snapshot()::text,
  'stamp', ${stamp('array(select oid from reached)', '$1')},
  'relations', (
    select coalesce(json_agg(json_build_object(
      'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
      'toldAs', (select json_agg(t.told_as::bigint) from told t where t.oid = c.oid),
      'isTold', exists (select from told t join published p on p.oid = t.told_as where t.oid = c.oid),
      'isKept', exists (select from told t join published p on p.oid = t.told_as where t.oid = c.oid and p.is_kept),
      'columns', (
        select coalesce(json_agg(a.attname), '[]')
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      'policies', (select coalesce(json_agg(p.using), '[]') from concerning p where p.polrelid = c.oid)
    ) order by c.oid), '[]')
    from reached r
    join pg_class c on c.oid = r.oid
    join pg_namespace n on n.oid = c.relnamespace),
  'claimSources', (
    select coalesce(json_object_agg(p.proname, p.prosrc), '{}')
    from pg_proc p
    where p.pronamespace = to_regnamespace('auth') and p.pronargs = 0
      and p.proname in ('uid', 'role', 'email', 'jwt'))
)::text as facts`
