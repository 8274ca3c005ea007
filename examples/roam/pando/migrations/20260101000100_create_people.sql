create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  handle text not null unique check (handle ~ '^[a-z0-9_]{3,20}$'),
  full_name text not null,
  home text references public.places (iata),
  joined_at timestamptz not null default now()
);

alter table public.profiles enable row level security;

create policy "profiles are public" on public.profiles for select using (true);
create policy "people edit their own profile" on public.profiles for update
  using (id = (select auth.uid())) with check (id = (select auth.uid()));

grant select on public.profiles to anon, authenticated;
-- The key and the date are not theirs to change.
grant update (handle, full_name, home) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;

create table public.follows (
  follower uuid not null references public.profiles (id) on delete cascade default auth.uid(),
  followed uuid not null references public.profiles (id) on delete cascade,
  since timestamptz not null default now(),
  primary key (follower, followed),
  check (follower <> followed)
);

create index follows_followed_idx on public.follows (followed);

alter table public.follows enable row level security;

create policy "follows are public" on public.follows for select using (true);
create policy "people follow for themselves" on public.follows for insert
  with check (follower = (select auth.uid()));
create policy "people unfollow for themselves" on public.follows for delete
  using (follower = (select auth.uid()));

grant select on public.follows to anon, authenticated;
grant insert, delete on public.follows to authenticated;
grant select, insert, update, delete on public.follows to service_role;
