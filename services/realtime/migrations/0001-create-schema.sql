-- The schema of messages. supabase_realtime_admin owns it.
set local search_path = '';

create schema if not exists realtime authorization supabase_realtime_admin;
grant all on schema realtime to supabase_realtime_admin with grant option;
grant usage on schema realtime to anon, authenticated, service_role;
grant usage on schema realtime to postgres with grant option;
grant all on schema realtime to dashboard_user;
select pando.hand_over('realtime', 'supabase_realtime_admin');
