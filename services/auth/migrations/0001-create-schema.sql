-- The schema of signed-in people. supabase_auth_admin owns it; the API roles see its functions and none of its tables.
set local search_path = '';

create schema if not exists auth authorization supabase_auth_admin;
grant all on schema auth to supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role;
grant all on schema auth to postgres, dashboard_user;
select pando.hand_over('auth', 'supabase_auth_admin');

set local role supabase_auth_admin;

-- `select` with grant option, as existing projects pass it on to roles of their own (a view's owner, say).
alter default privileges in schema auth grant all on tables to postgres, dashboard_user;
alter default privileges in schema auth grant select on tables to postgres with grant option;
alter default privileges in schema auth grant all on sequences to postgres, dashboard_user;
alter default privileges in schema auth grant all on routines to postgres, dashboard_user;

reset role;
