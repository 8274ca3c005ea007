-- Places are airports; anyone may read them, only the loader (service role) writes them.
create table public.places (
  -- Three letters; small American fields have a code of their own of up to five.
  iata text primary key check (iata ~ '^[A-Z0-9]{3,5}$'),
  name text not null,
  city text,
  state text,
  country text not null,
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180)
);

comment on table public.places is 'Airports, one row each';

create index places_city_idx on public.places (city);

alter table public.places enable row level security;

create policy "places are public" on public.places for select using (true);

grant select on public.places to anon, authenticated;
grant select, insert, update, delete on public.places to service_role;

create table public.flights (
  id bigint generated always as identity primary key,
  origin text not null references public.places (iata),
  destination text not null references public.places (iata),
  departs_at timestamptz not null,
  delay_minutes integer not null,
  distance_miles integer not null check (distance_miles > 0),
  unique (origin, destination, departs_at)
);

comment on table public.flights is 'Departures, with their delay';

create index flights_destination_idx on public.flights (destination);

alter table public.flights enable row level security;

create policy "flights are public" on public.flights for select using (true);

grant select on public.flights to anon, authenticated;
grant select, insert, update, delete on public.flights to service_role;
