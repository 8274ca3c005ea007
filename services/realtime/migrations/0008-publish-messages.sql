-- Messages that the database sends reach the node by the log, as rows of the table as a whole.
set local search_path = '';
set local role supabase_realtime_admin;

do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'pando_messages') then
    create publication pando_messages for table realtime.messages
      with (publish = 'insert', publish_via_partition_root = true);
  end if;
end
$$;

reset role;
