/**
 * A hash of all that says who may see rows: roles and their memberships; owners, privileges and row security of tables
 * and schemas; policies; what is published in the publications `$1`; functions of the claims. Where a row says much, who wrote it last
 * (xmin) stands for it. Objects of Postgres itself (oids below 16384) are left out.
 */
export const readAccess = `
with told (kind, fact) as (
  select 'member', m::text from pg_auth_members m
  union all
  select 'role', concat_ws(' ', oid, rolname, rolsuper, rolinherit, rolbypassrls) from pg_roles
  union all
  select 'schema', concat_ws(' ', oid, nspname, nspowner, hash_array_extended(nspacl, 0)) from pg_namespace where nspname !~ '^pg_(toast|temp)'
  union all
  select 'table', concat_ws(' ', oid, relname, relnamespace, relowner, relrowsecurity, relforcerowsecurity,
    hash_array_extended(relacl, 0))
  from pg_class where oid >= 16384 and relkind in ('r', 'p', 'v', 'm', 'f') and relpersistence <> 't'
  union all
  select 'column', concat_ws(' ', attrelid, attname, hash_array_extended(attacl, 0)) from pg_attribute where attrelid >= 16384 and attacl is not null
  union all
  select 'policy', concat_ws(' ', oid, xmin) from pg_policy
  union all
  select 'function', concat_ws(' ', oid, xmin) from pg_proc
  where pronamespace = to_regnamespace('auth') and proname in ('uid', 'role', 'email', 'jwt')
  union all
  select 'publication', concat_ws(' ', p.oid, p.xmin, r.oid, r.xmin)
  from pg_publication p
  left join pg_publication_rel r on r.prpubid = p.oid
  where p.pubname = any ($1)
)
select concat_ws(' ', count(*), bit_xor(hashtextextended(concat_ws(' ', kind, fact), 0))) as access
from told`
