-- Where Citus spreads tables over servers, the log of this one does not have all changes: who wants to follow them is told.
set local search_path = '';
set local role supabase_realtime_admin;

create or replace function realtime.rows_elsewhere(table_oid oid) returns text
language plpgsql stable as $$
begin
  if pg_catalog.to_regclass('pg_catalog.pg_dist_partition') is null then
    return null; -- no Citus, whose tables then cannot even be named
  end if;
  return (
    select case
      when d.partmethod <> 'n' or (d.repmodel <> 't' and d.colocationid <> 0) then 'workers'
      when pg_catalog.current_setting('citus.enable_change_data_capture', true) is distinct from 'on' then 'shards'
    end
    from pg_catalog.pg_dist_partition d
    where d.logicalrelid = table_oid);
end
$$;
comment on function realtime.rows_elsewhere(oid) is
  'Why the log of this server does not have the changes of a table: its rows are on the workers of Citus (workers), or here under the name of a shard, which is not translated (shards). Null where the log has them.';

revoke execute on function realtime.rows_elsewhere(oid) from public;
grant execute on function realtime.rows_elsewhere(oid) to authenticator;
grant all on function realtime.rows_elsewhere(oid) to postgres, dashboard_user;

reset role;
