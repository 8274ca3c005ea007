create table public.authors (
  id integer primary key,
  name text not null,
  avatar text not null
);

create table public.items (
  id integer primary key,
  owner uuid not null,
  author_id integer not null references public.authors (id),
  title text not null,
  body text not null,
  score integer not null,
  is_public boolean not null,
  created_at timestamptz not null
);

create index items_created_at_idx on public.items (created_at desc);
create index items_author_idx on public.items (author_id);
create index items_score_idx on public.items (score);

create table public.readings (
  id bigint generated always as identity primary key,
  owner uuid not null default auth.uid(),
  device integer not null,
  value double precision not null,
  taken_at timestamptz not null default now()
);

create table public.counters (
  id integer primary key,
  owner uuid not null default auth.uid(),
  value integer not null
);

create table public.documents (
  id bigint generated always as identity primary key,
  owner uuid not null default auth.uid(),
  body text not null
);

alter table public.authors enable row level security;
alter table public.items enable row level security;
alter table public.readings enable row level security;
alter table public.counters enable row level security;
alter table public.documents enable row level security;

create policy "authors are public" on public.authors for select using (true);
create policy "items are public or one's own" on public.items for select
  using (is_public or owner = (select auth.uid()));
create policy "readings are one's own" on public.readings for all
  using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
create policy "counters are one's own" on public.counters for all
  using (owner = (select auth.uid())) with check (owner = (select auth.uid()));

create policy "documents are one's own" on public.documents for all
  using (owner = (select auth.uid())) with check (owner = (select auth.uid()));

grant select on public.authors, public.items to authenticated;
grant select, insert, update on public.readings, public.counters, public.documents to authenticated;

create function public.add(a integer, b integer) returns integer
  language sql
  immutable
as $$ select a + b $$;
