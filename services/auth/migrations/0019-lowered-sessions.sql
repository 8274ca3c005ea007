-- Sessions that fell to a lower level of assurance, for the nodes to take their access tokens for no more than that.
set local search_path = '';
set local role supabase_auth_admin;

alter table auth.ended_sessions add column if not exists lowered boolean not null default false;
comment on column auth.ended_sessions.lowered is 'The session goes on, at a lower level of assurance.';

-- A session that was lowered and ended by one transaction has ended.
create or replace function auth.note_ended_sessions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    insert into auth.ended_sessions (session_id) select id from ended
    on conflict (ended_by, session_id) do update set lowered = false;
  elsif tg_op = 'TRUNCATE' then
    insert into auth.ended_sessions (session_id) select id from auth.sessions
    on conflict (ended_by, session_id) do update set lowered = false;
  else
    insert into auth.ended_sessions (session_id) values (new.id)
    on conflict (ended_by, session_id) do update set lowered = false;
  end if;
  return null;
end
$$;

create or replace function auth.note_lowered_sessions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into auth.ended_sessions (session_id, lowered) values (new.id, true) on conflict do nothing;
  return null;
end
$$;
revoke all on function auth.note_lowered_sessions() from public;
create or replace trigger note_lowered after update of aal on auth.sessions
  for each row when (old.aal > coalesce(new.aal, 'aal1'::auth.aal_level))
  execute function auth.note_lowered_sessions();

-- As `auth.list_ended_sessions`, which stays for nodes of the version before; `lowered` says of each line whether its session goes on.
create or replace function auth.list_ended_and_lowered_sessions(
  seen pg_snapshot, behind_by xid8, behind_id uuid, rows_max integer,
  out now_seen pg_snapshot, out oldest double precision, out last_by xid8,
  out session_ids uuid[], out ended_at double precision[], out lowered boolean[]
) language sql stable security definer set search_path = '' as $$
  select pg_catalog.pg_current_snapshot(),
    (select extract(epoch from pg_catalog.min(line.ended_at)) from auth.ended_sessions as line),
    (pg_catalog.array_agg(page.ended_by order by page.ended_by desc))[1],
    coalesce(pg_catalog.array_agg(page.session_id order by page.ended_by, page.session_id), '{}'),
    coalesce(
      pg_catalog.array_agg(extract(epoch from page.ended_at)::float8 order by page.ended_by, page.session_id), '{}'
    ),
    coalesce(pg_catalog.array_agg(page.lowered order by page.ended_by, page.session_id), '{}')
  from (
    select line.ended_by, line.session_id, line.ended_at, line.lowered
    from auth.ended_sessions as line
    where line.ended_by >= pg_catalog.pg_snapshot_xmin(seen)
      and not pg_catalog.pg_visible_in_snapshot(line.ended_by, seen)
      and (line.ended_by, line.session_id) > (behind_by, behind_id)
    order by line.ended_by, line.session_id
    limit rows_max
  ) as page
$$;
revoke all on function auth.list_ended_and_lowered_sessions(pg_snapshot, xid8, uuid, integer) from public;
grant execute on function auth.list_ended_and_lowered_sessions(pg_snapshot, xid8, uuid, integer) to authenticator;

reset role;
