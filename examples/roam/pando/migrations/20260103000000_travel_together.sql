-- A trip has companions, who see it, talk about it and show each other where they are.
create table public.companions (
  -- A key of its own: with the two below as the key, "trips of a profile" could mean those somebody came along on, too.
  id bigint generated always as identity primary key,
  trip_id bigint not null references public.trips (id) on delete cascade,
  person uuid not null references public.profiles (id) on delete cascade,
  since timestamptz not null default now(),
  unique (trip_id, person)
);

create index companions_person_idx on public.companions (person);

-- Asked by the policies below. It passes policies itself, or those of trips and of companions would ask each other forever.
create function public.own_trips() returns setof bigint
  language sql
  stable
  security definer
  set search_path = ''
as $$
  select id from public.trips where traveller = (select auth.uid())
  union
  select trip_id from public.companions where person = (select auth.uid())
$$;

comment on function public.own_trips is 'The trips that whoever asks is on, as the one who plans it or as a companion';

revoke execute on function public.own_trips from public;
grant execute on function public.own_trips to anon, authenticated, service_role;

create policy "companions see their trips" on public.trips for select to authenticated
  using (id in (select public.own_trips()));

alter table public.companions enable row level security;

create policy "companions know each other" on public.companions for select to authenticated
  using (trip_id in (select public.own_trips()));
create policy "travellers take people along" on public.companions for insert to authenticated
  with check (trip_id in (select id from public.trips where traveller = (select auth.uid())));
create policy "companions leave, travellers part with them" on public.companions for delete to authenticated
  using (
    person = (select auth.uid())
    or trip_id in (select id from public.trips where traveller = (select auth.uid()))
  );

grant select, delete on public.companions to authenticated;
grant insert (trip_id, person) on public.companions to authenticated;
grant select, insert, update, delete on public.companions to service_role;

-- What people say to each other on a trip.
create table public.chat_messages (
  -- Made by the app, which can then send again after a tunnel without saying it twice.
  id uuid primary key default gen_random_uuid(),
  trip_id bigint not null references public.trips (id) on delete cascade,
  author uuid not null references public.profiles (id) on delete cascade default auth.uid(),
  body text not null check (length(body) between 1 and 2000),
  sent_at timestamptz not null default now()
);

create index chat_messages_trip_idx on public.chat_messages (trip_id, sent_at desc, id);

alter table public.chat_messages enable row level security;

create policy "companions read what is said" on public.chat_messages for select to authenticated
  using (trip_id in (select public.own_trips()));
create policy "companions say something" on public.chat_messages for insert to authenticated
  with check (author = (select auth.uid()) and trip_id in (select public.own_trips()));
create policy "people take back what they said" on public.chat_messages for delete to authenticated
  using (author = (select auth.uid()));

grant select, delete on public.chat_messages to authenticated;
-- Author and time are not theirs to choose.
grant insert (id, trip_id, body) on public.chat_messages to authenticated;
grant select, insert, update, delete on public.chat_messages to service_role;

-- New rows reach phones, those that the policy above shows them.
alter publication supabase_realtime add table public.chat_messages;

-- The private channel of a trip, `trip:<id>`: companions hear it (select) and speak there (insert), in messages that no
-- table keeps (where somebody is) and in presence (who is there).
create policy "companions hear their trip" on realtime.messages for select to authenticated
  using ((select realtime.topic()) in (select 'trip:' || id from public.own_trips() as id));
create policy "companions speak on their trip" on realtime.messages for insert to authenticated
  with check ((select realtime.topic()) in (select 'trip:' || id from public.own_trips() as id));

-- The channel of a person, `person:<id>`: they alone hear it, and only the database speaks there.
create policy "people hear what concerns them" on realtime.messages for select to authenticated
  using ((select realtime.topic()) = 'person:' || (select auth.uid()));

-- Whoever looks at a trip hears when its title or dates become others.
create function public.tell_trip_changed() returns trigger
  language plpgsql
  security definer
  set search_path = ''
as $$
begin
  perform realtime.broadcast_changes(
    'trip:' || new.id, 'trip_changed', tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end
$$;

create trigger tell_trip_changed after update on public.trips
  for each row when (old is distinct from new)
  execute function public.tell_trip_changed();

-- Whoever is taken along hears of it, wherever they are in the app.
create function public.tell_taken_along() returns trigger
  language plpgsql
  security definer
  set search_path = ''
as $$
begin
  perform realtime.send(
    (select jsonb_build_object('trip_id', id, 'title', title) from public.trips where id = new.trip_id),
    'taken_along', 'person:' || new.person);
  return null;
end
$$;

create trigger tell_taken_along after insert on public.companions
  for each row execute function public.tell_taken_along();
