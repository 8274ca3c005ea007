-- auth.begin_attempt for PostgreSQL before 18, which has no max(bytea).
set local search_path = '';
set local role supabase_auth_admin;

-- What it promises is written in 0015-limits.sql.
create or replace function auth.begin_attempt(
  asked_account bytea, asked_network bytea, failures_free integer, failures_max integer
) returns double precision language plpgsql set search_path = '' as $$
declare
  unknown constant bytea := '';
  moment timestamptz;
  counted bytea := unknown;
  total bigint;
  attempt auth.failed_attempts;
begin
  -- What a crash may forget are the attempts of its last half second; nobody waits for the disk here.
  perform pg_catalog.set_config('synchronous_commit', 'off', true);
  -- Locks the account: its attempts are decided one after the other.
  insert into auth.failed_attempts as entry (account, network, failures, retry_at, tried_at)
  values (asked_account, unknown, 0, '-infinity', pg_catalog.clock_timestamp())
  on conflict (account, network) do update set failures = excluded.failures where false;

  moment := pg_catalog.clock_timestamp();
  if exists (
    select from auth.failed_attempts as entry where entry.account = asked_account and entry.network = asked_network
  ) then
    counted := asked_network;
  end if;
  select pg_catalog.sum(entry.failures) into total
  from auth.failed_attempts as entry
  where entry.account = asked_account and (entry.network = unknown) = (counted = unknown);
  if total >= failures_max / 2 then
    return 'infinity';
  end if;

  select * into strict attempt
  from auth.failed_attempts as entry where entry.account = asked_account and entry.network = counted;
  if attempt.retry_at > moment then
    return extract(epoch from attempt.retry_at - moment);
  end if;
  update auth.failed_attempts as entry
  set failures = entry.failures + 1, tried_at = moment, retry_at = case
      when entry.failures + 1 < failures_free then moment
      else moment + pg_catalog.make_interval(secs => least(3600, 2 ^ least(entry.failures + 1 - failures_free, 12)))
    end
  where entry.account = asked_account and entry.network = counted;
  return 0;
end
$$;

reset role;
