-- Tells the data API that the schema changed: `notify pgrst, 'reload schema'`, as PostgREST documents it. Postgres
-- sends equal notices of one transaction once, at commit, so a migration of a thousand statements costs one reload.
-- The same goes into the log of changes, where it stands at its place among them: whoever reads them knows from there on
-- that a policy may be another.
-- `alter role … set pgrst.…` fires no event trigger: after that a migration says `notify pgrst, 'reload config'`
-- itself.
set local search_path = '';

create or replace function pando.notify_schema_change() returns event_trigger
language plpgsql set search_path = '' as $$
begin
  if tg_tag in ('REFRESH MATERIALIZED VIEW', 'REINDEX') then
    return; -- rows, not schema: a job that refreshes every minute must not reload every minute
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
  if exists (select from pg_catalog.pg_event_trigger_dropped_objects() where not is_temporary) then
    notify pgrst, 'reload schema';
    perform pg_catalog.pg_logical_emit_message(true, 'pando.schema', '');
  end if;
end
$$;

do $$
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    raise notice 'schema changes are not announced: only a superuser can create event triggers'
      using hint = $h$After a migration run: notify pgrst, 'reload schema';$h$;
    return;
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pando_schema_change') then
    create event trigger pando_schema_change on ddl_command_end execute function pando.notify_schema_change();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pando_schema_drop') then
    create event trigger pando_schema_drop on sql_drop execute function pando.notify_schema_drop();
  end if;
end
$$;
