-- The schema of files. supabase_storage_admin owns it; the API roles reach its tables, guarded by row policies alone.
set local search_path = '';

create schema if not exists storage authorization supabase_storage_admin;
grant all on schema storage to supabase_storage_admin;
grant usage on schema storage to anon, authenticated, service_role;
grant all on schema storage to postgres, dashboard_user;
select pando.hand_over('storage', 'supabase_storage_admin');
