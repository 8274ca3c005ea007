-- Sessions that have ended while access tokens of theirs may still be out, for the nodes to refuse those.
set local search_path = '';
set local role supabase_auth_admin;

-- A line is written by whatever ends a session, also by SQL, and in its transaction. It goes when the last token has
-- expired.
create table if not exists auth.ended_sessions (
  ended_by xid8 not null default pg_catalog.pg_current_xact_id(),
  session_id uuid not null,
  ended_at timestamptz not null default pg_catalog.clock_timestamp(),
  constraint ended_sessions_pkey primary key (ended_by, session_id)
);
comment on table auth.ended_sessions is 'Sessions whose access tokens are refused although they have not expired.';
create index if not exists ended_sessions_ended_at_idx on auth.ended_sessions (ended_at);
alter table auth.ended_sessions enable row level security;
revoke all on table auth.ended_sessions from public, anon, authenticated, service_role;
grant all on table auth.ended_sessions to postgres, dashboard_user;

-- The rights of the owner: whoever may end a session writes the line, whatever else they may do.
create or replace function auth.note_ended_sessions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    insert into auth.ended_sessions (session_id) select id from ended on conflict do nothing;
  elsif tg_op = 'TRUNCATE' then
    insert into auth.ended_sessions (session_id) select id from auth.sessions on conflict do nothing;
  else
    insert into auth.ended_sessions (session_id) values (new.id) on conflict do nothing;
  end if;
  return null;
end
$$;
revoke all on function auth.note_ended_sessions() from public;

create or replace trigger note_deleted after delete on auth.sessions
  referencing old table as ended for each statement execute function auth.note_ended_sessions();
create or replace trigger note_truncated before truncate on auth.sessions
  for each statement execute function auth.note_ended_sessions();
create or replace trigger note_timed_out after update of not_after on auth.sessions
  for each row when (new.not_after <= pg_catalog.now()) execute function auth.note_ended_sessions();

-- A ban by SQL ends sessions as one by the API does.
create or replace function auth.end_sessions_of_banned() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from auth.sessions where user_id = new.id;
  return null;
end
$$;
revoke all on function auth.end_sessions_of_banned() from public;
create or replace trigger end_sessions_of_banned after update of banned_until on auth.users
  for each row when (new.banned_until > pg_catalog.now()) execute function auth.end_sessions_of_banned();

-- One page of the lines that snapshot `seen` does not show, in order, from behind (`behind_by`, `behind_id`) on.
-- `now_seen` is the snapshot of this answer: numbers of transactions are given in another order than lines appear, so
-- that no number could stand for all that was seen. Lines older than `oldest` (seconds since the epoch; null: all
-- there ever were) need not be remembered. `last_by` and the last of `session_ids` are where the next page begins.
create or replace function auth.list_ended_sessions(
  seen pg_snapshot, behind_by xid8, behind_id uuid, rows_max integer,
  out now_seen pg_snapshot, out oldest double precision, out last_by xid8,
  out session_ids uuid[], out ended_at double precision[]
) language sql stable security definer set search_path = '' as $$
  select pg_catalog.pg_current_snapshot(),
    (select extract(epoch from pg_catalog.min(line.ended_at)) from auth.ended_sessions as line),
    (pg_catalog.array_agg(page.ended_by order by page.ended_by desc))[1],
    coalesce(pg_catalog.array_agg(page.session_id order by page.ended_by, page.session_id), '{}'),
    coalesce(
      pg_catalog.array_agg(extract(epoch from page.ended_at)::float8 order by page.ended_by, page.session_id), '{}'
    )
  from (
    select line.ended_by, line.session_id, line.ended_at
    from auth.ended_sessions as line
    where line.ended_by >= pg_catalog.pg_snapshot_xmin(seen)
      and not pg_catalog.pg_visible_in_snapshot(line.ended_by, seen)
      and (line.ended_by, line.session_id) > (behind_by, behind_id)
    order by line.ended_by, line.session_id
    limit rows_max
  ) as page
$$;
revoke all on function auth.list_ended_sessions(pg_snapshot, xid8, uuid, integer) from public;
-- A node that verifies tokens has no more than the login for requests.
grant usage on schema auth to authenticator;
grant execute on function auth.list_ended_sessions(pg_snapshot, xid8, uuid, integer) to authenticator;

reset role;
