create type public.visibility as enum ('private', 'followers', 'public');

create table public.trips (
  id bigint generated always as identity primary key,
  traveller uuid not null references public.profiles (id) on delete cascade default auth.uid(),
  title text not null check (length(title) between 1 and 120),
  origin text not null references public.places (iata),
  destination text not null references public.places (iata),
  starts_on date not null,
  ends_on date not null,
  visibility public.visibility not null default 'followers',
  check (ends_on >= starts_on)
);

create index trips_traveller_idx on public.trips (traveller, starts_on desc);

alter table public.trips enable row level security;

-- One sub-select a statement, not one a row: the planner runs each of these once.
create policy "trips show to whom they should" on public.trips for select using (
  visibility = 'public'
  or traveller = (select auth.uid())
  or (
    visibility = 'followers'
    and traveller in (select followed from public.follows where follower = (select auth.uid()))
  )
);
create policy "people plan their own trips" on public.trips for insert
  with check (traveller = (select auth.uid()));
create policy "people change their own trips" on public.trips for update
  using (traveller = (select auth.uid())) with check (traveller = (select auth.uid()));
create policy "people cancel their own trips" on public.trips for delete
  using (traveller = (select auth.uid()));

grant select on public.trips to anon, authenticated;
grant insert, update, delete on public.trips to authenticated;
grant select, insert, update, delete on public.trips to service_role;

create table public.posts (
  id bigint generated always as identity primary key,
  author uuid not null references public.profiles (id) on delete cascade default auth.uid(),
  trip_id bigint references public.trips (id) on delete cascade,
  place text references public.places (iata),
  body text not null check (length(body) between 1 and 2000),
  created_at timestamptz not null default now()
);

create index posts_created_at_idx on public.posts (created_at desc, id desc);
create index posts_author_idx on public.posts (author, created_at desc);
create index posts_trip_idx on public.posts (trip_id);

alter table public.posts enable row level security;

-- A post about a trip is as visible as the trip: the sub-select is itself under the trips' policy.
create policy "posts show with their trip" on public.posts for select using (
  author = (select auth.uid()) or trip_id is null or trip_id in (select id from public.trips)
);
create policy "people write their own posts" on public.posts for insert with check (
  author = (select auth.uid()) and (trip_id is null or trip_id in (select id from public.trips where traveller = author))
);
create policy "people change their own posts" on public.posts for update
  using (author = (select auth.uid())) with check (author = (select auth.uid()));
create policy "people delete their own posts" on public.posts for delete
  using (author = (select auth.uid()));

grant select on public.posts to anon, authenticated;
grant insert, update, delete on public.posts to authenticated;
grant select, insert, update, delete on public.posts to service_role;
