create function public.places_near(latitude double precision, longitude double precision, radius_km double precision default 100)
  returns table (iata text, name text, city text, distance_km numeric)
  language sql
  stable
as $$
  select place.iata, place.name, place.city, round(place.distance_km::numeric, 1)
  from (
    select
      p.iata,
      p.name,
      p.city,
      2 * 6371 * asin(least(1, sqrt(
        power(sin(radians(p.latitude - places_near.latitude) / 2), 2)
        + cos(radians(places_near.latitude)) * cos(radians(p.latitude))
        * power(sin(radians(p.longitude - places_near.longitude) / 2), 2)
      ))) as distance_km
    from public.places as p
  ) as place
  where place.distance_km <= radius_km
  order by place.distance_km
$$;

comment on function public.places_near is 'Airports within a radius, nearest first (haversine)';

create function public.followers_count(public.profiles) returns bigint
  language sql
  stable
as $$ select count(*) from public.follows where followed = $1.id $$;

create view public.route_delays with (security_invoker = true) as
select
  flights.origin,
  flights.destination,
  count(*) as flights,
  round(avg(flights.delay_minutes), 1) as average_delay_minutes
from public.flights
group by flights.origin, flights.destination;

grant execute on function public.places_near, public.followers_count to anon, authenticated, service_role;
grant select on public.route_delays to anon, authenticated, service_role;
