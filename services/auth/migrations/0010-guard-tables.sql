-- Nobody but the service and the project's admins reads a table of this schema: no grant for the API roles, and row
-- security on each table without a policy, should one of them ever get a grant by mistake.
set local search_path = '';
set local role supabase_auth_admin;

revoke all on all tables in schema auth from public, anon, authenticated, service_role;
revoke all on all sequences in schema auth from public, anon, authenticated, service_role;
grant all on all tables in schema auth to postgres, dashboard_user;
grant select on all tables in schema auth to postgres with grant option;
grant all on all sequences in schema auth to postgres, dashboard_user;
grant all on all routines in schema auth to postgres, dashboard_user;

do $$
declare
  unguarded regclass;
begin
  for unguarded in
    select oid from pg_catalog.pg_class
    where relnamespace = 'auth'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    execute pg_catalog.format('alter table %s enable row level security', unguarded);
  end loop;
end
$$;

reset role;
