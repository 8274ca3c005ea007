-- Whether a table, sequence or function that a migration creates in `public` can be used by the API roles at once
-- (guarded by row policies), or only after an explicit grant. The parameter `pando.auto_expose_new_tables` decides
-- when this file runs (default: on); pando.auto_expose_new_tables() switches later. What exists already is not touched.
set local search_path = '';

create or replace function pando.auto_expose_new_tables(enabled boolean) returns void
language plpgsql set search_path = '' as $$
declare
  creator name;
  objects text;
begin
  for creator in
    select rolname
    from pg_catalog.pg_roles
    -- Whoever may create tables in a project: `postgres` (migrations), and the admin who is connected.
    where rolname in ('postgres', 'supabase_admin', current_user)
      and pg_catalog.pg_has_role(current_user, oid, 'usage')
  loop
    foreach objects in array array['tables', 'sequences', 'functions'] loop
      execute pg_catalog.format(
        'alter default privileges for role %I in schema public grant all on %s to postgres', creator, objects);
      execute pg_catalog.format(
        case
          when enabled then
            'alter default privileges for role %I in schema public '
            'grant all on %s to anon, authenticated, service_role'
          else
            'alter default privileges for role %I in schema public '
            'revoke all on %s from anon, authenticated, service_role'
        end,
        creator, objects);
    end loop;
  end loop;
end
$$;
revoke execute on function pando.auto_expose_new_tables(boolean) from public;

select pando.auto_expose_new_tables(
  coalesce(nullif(pg_catalog.current_setting('pando.auto_expose_new_tables', true), ''), 'on')::boolean
);
