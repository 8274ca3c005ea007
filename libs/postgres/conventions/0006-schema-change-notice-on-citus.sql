-- Citus repeats DDL on its own servers over connections that it names `citus_internal …`, in transactions that it prepares,
-- and Postgres prepares none that notifies. What started it has given notice already.
set local search_path = '';

create or replace function pando.notify_schema_change() returns event_trigger
language plpgsql set search_path = '' as $$
begin
  if tg_tag in ('REFRESH MATERIALIZED VIEW', 'REINDEX') then
    return; -- rows, not schema: a job that refreshes every minute must not reload every minute
  end if;
  if pg_catalog.starts_with(pg_catalog.current_setting('application_name'), 'citus_internal') then
    return;
  end if;
  if exists (select from pg_catalog.pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp') then
    notify pgrst, 'reload schema';
    perform pg_catalog.pg_logical_emit_message(true, 'pando.schema', '');
  end if;
end
$$;

create or replace function pando.notify_schema_drop() returns event_trigger
language plpgsql set search_path = '' as $$
begin
  if pg_catalog.starts_with(pg_catalog.current_setting('application_name'), 'citus_internal') then
    return;
  end if;
  if exists (select from pg_catalog.pg_event_trigger_dropped_objects() where not is_temporary) then
    notify pgrst, 'reload schema';
    perform pg_catalog.pg_logical_emit_message(true, 'pando.schema', '');
  end if;
end
$$;
