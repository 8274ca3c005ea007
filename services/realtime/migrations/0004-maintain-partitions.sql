-- Keeps the days around now: yesterday to in three days exist, what is older than three days goes. Call it at every
-- start and once a day; it changes nothing when nothing is due. Days are counted in UTC, whatever the session's time
-- zone: `inserted_at` has none and now() fills it in the session's, so that both neighbours of today must always be
-- there.
set local search_path = '';
set local role supabase_realtime_admin;

create or replace function realtime.maintain_message_partitions(
  days_kept integer default 3, days_ahead integer default 3
) returns void
language plpgsql security definer set search_path = '' as $$
declare
  today constant date := (statement_timestamp() at time zone 'utc')::date;
  day date;
  expired regclass;
begin
  if days_kept < 1 or days_ahead < 1 then
    raise exception 'messages need the days around now: days_kept % and days_ahead % must be at least 1',
      days_kept, days_ahead using errcode = 'invalid_parameter_value';
  end if;
  -- Two nodes at once would both find a day missing.
  perform pg_advisory_xact_lock(hashtextextended('realtime.maintain_message_partitions', 0));
  for day in select today + shift from generate_series(-1, days_ahead) as shift loop
    if to_regclass(format('realtime.messages_%s', to_char(day, 'YYYY_MM_DD'))) is null then
      execute format(
        'create table realtime.messages_%s partition of realtime.messages for values from (%L) to (%L)',
        to_char(day, 'YYYY_MM_DD'), day, day + 1);
      execute format('alter table realtime.messages_%s enable row level security', to_char(day, 'YYYY_MM_DD'));
    end if;
  end loop;
  for expired in
    select inhrelid
    from pg_catalog.pg_inherits
    join pg_catalog.pg_class on pg_class.oid = inhrelid
    where inhparent = 'realtime.messages'::regclass
      and relname ~ '^messages_\d{4}_\d{2}_\d{2}$'
      and to_date(right(relname, 10), 'YYYY_MM_DD') < today - days_kept
  loop
    execute format('drop table %s', expired);
  end loop;
end
$$;
comment on function realtime.maintain_message_partitions(integer, integer) is
  'Creates the partitions of realtime.messages around now and drops those that are too old.';
revoke execute on function realtime.maintain_message_partitions(integer, integer) from public;
grant execute on function realtime.maintain_message_partitions(integer, integer) to postgres, service_role;

select realtime.maintain_message_partitions();

reset role;
