-- How often somebody may ask, counted for all nodes together.
set local search_path = '';
set local role supabase_auth_admin;

-- A bucket is one moment: when it will be full again. A token moves it further away, time brings it nearer. A bucket
-- without a row is full, so rows whose moment has passed can go at any time. Unlogged: a crash fills the buckets.
create unlogged table if not exists auth.rate_limits (
  key bytea primary key,
  full_at timestamptz not null
) with (fillfactor = 70);

-- Wrong passwords and codes in a entry. `network` is empty for all networks from which this account was never signed in to
-- together; each network from which it was has a row of its own. Names are hashes.
create table if not exists auth.failed_attempts (
  account bytea not null,
  network bytea not null,
  failures integer not null,
  retry_at timestamptz not null,
  tried_at timestamptz not null,
  primary key (account, network)
) with (fillfactor = 70);

alter table auth.rate_limits enable row level security;
alter table auth.failed_attempts enable row level security;
revoke all on auth.rate_limits, auth.failed_attempts from public, anon, authenticated, service_role;

-- Takes `costs` tokens from each bucket, or from none. A token comes back after `token_seconds`, an empty bucket is full
-- after `burst_seconds`. Tells the seconds to wait, 0 when the tokens were there, and the place of the bucket that needs
-- them. Rows are locked in one order, and the moment is read once they are, so that of many at once each sees what the one
-- before has taken.
create or replace function auth.take_tokens(
  keys bytea[], token_seconds double precision[], burst_seconds double precision[], costs integer[],
  out seconds double precision, out place integer
) language plpgsql set search_path = '' as $$
declare
  moment timestamptz;
begin
  insert into auth.rate_limits as bucket (key, full_at)
  select asked.key, '-infinity' from unnest(keys) as asked (key) order by asked.key
  on conflict (key) do update set full_at = excluded.full_at where false;

  moment := pg_catalog.clock_timestamp();
  select extract(epoch from greatest(bucket.full_at, moment) - moment) + asked.token - asked.burst, asked.place
  into seconds, place
  from unnest(keys, token_seconds, burst_seconds) with ordinality as asked (key, token, burst, place)
  join auth.rate_limits as bucket using (key)
  order by 1 desc limit 1;
  -- Moments are whole microseconds: the last token of a bucket must not fail by their sum.
  if seconds > 0.001 then
    return;
  end if;
  seconds := 0;

  update auth.rate_limits as bucket
  set full_at = greatest(bucket.full_at, moment) + pg_catalog.make_interval(secs => asked.token * asked.cost)
  from unnest(keys, token_seconds, costs) as asked (key, token, cost)
  where bucket.key = asked.key and asked.cost > 0;
end
$$;

-- Counts an attempt before it is made: it is a failure unless auth.end_attempt says otherwise. Returns the seconds to
-- wait, 0 when it may be made, infinity when there were too many. The first `failures_free` failures cost no time, each
-- further one twice as much as the one before, at most an hour. Networks that are unknown to the account share one half
-- of `failures_max`, known ones the other.
create or replace function auth.begin_attempt(
  asked_account bytea, asked_network bytea, failures_free integer, failures_max integer
) returns double precision language plpgsql set search_path = '' as $$
declare
  unknown constant bytea := '';
  moment timestamptz;
  counted bytea;
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
  select coalesce(pg_catalog.max(entry.network), unknown) into counted
  from auth.failed_attempts as entry where entry.account = asked_account and entry.network = asked_network;
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

-- The attempt was right: its network is known from now on, and begins anew.
create or replace function auth.end_attempt(asked_account bytea, asked_network bytea) returns void
language plpgsql set search_path = '' as $$
declare
  is_known boolean;
begin
  -- In the order of auth.begin_attempt, the account's own row first.
  perform from auth.failed_attempts as entry
  where entry.account = asked_account and entry.network in ('', asked_network) order by entry.network for update;
  is_known := exists (
    select from auth.failed_attempts as entry where entry.account = asked_account and entry.network = asked_network
  );
  insert into auth.failed_attempts as entry (account, network, failures, retry_at, tried_at)
  values (asked_account, asked_network, 0, '-infinity', pg_catalog.clock_timestamp())
  on conflict (account, network) do update
  set failures = 0, retry_at = '-infinity', tried_at = excluded.tried_at;
  if not is_known then
    update auth.failed_attempts as entry set failures = 0, retry_at = '-infinity'
    where entry.account = asked_account and entry.network = '';
  end if;
end
$$;

revoke all on function
  auth.take_tokens(bytea[], double precision[], double precision[], integer[]),
  auth.begin_attempt(bytea, bytea, integer, integer),
  auth.end_attempt(bytea, bytea)
from public;

reset role;
