-- Three travellers to play with; every password is "wander-far". Places and flights come through the API, see src/load.ts.
insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
select
  '00000000-0000-0000-0000-000000000000',
  person.id::uuid,
  'authenticated',
  'authenticated',
  person.email,
  extensions.crypt('wander-far', extensions.gen_salt('bf')),
  now(),
  '{"provider": "email", "providers": ["email"]}',
  '{}',
  now(),
  now()
from (
  values
    ('11111111-1111-4111-8111-111111111111', 'ada@roam.example'),
    ('22222222-2222-4222-8222-222222222222', 'bo@roam.example'),
    ('33333333-3333-4333-8333-333333333333', 'cleo@roam.example')
) as person (id, email);

insert into public.places (iata, name, city, state, country, latitude, longitude)
values
  ('SFO', 'San Francisco International', 'San Francisco', 'CA', 'USA', 37.61900194, -122.3748433),
  ('JFK', 'John F Kennedy Intl', 'New York', 'NY', 'USA', 40.63975111, -73.77892556),
  ('SEA', 'Seattle-Tacoma Intl', 'Seattle', 'WA', 'USA', 47.44898194, -122.3093131);

insert into public.profiles (id, handle, full_name, home)
values
  ('11111111-1111-4111-8111-111111111111', 'ada', 'Ada Lindqvist', 'SFO'),
  ('22222222-2222-4222-8222-222222222222', 'bo_r', 'Bo Rasmussen', 'JFK'),
  ('33333333-3333-4333-8333-333333333333', 'cleo', 'Cleo Okafor', 'SEA');

insert into public.follows (follower, followed)
values
  ('22222222-2222-4222-8222-222222222222', '11111111-1111-4111-8111-111111111111'),
  ('33333333-3333-4333-8333-333333333333', '11111111-1111-4111-8111-111111111111'),
  ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222');

insert into public.trips (traveller, title, origin, destination, starts_on, ends_on, visibility)
values
  ('11111111-1111-4111-8111-111111111111', 'Museums in the rain', 'SFO', 'SEA', '2026-03-02', '2026-03-06', 'public'),
  ('11111111-1111-4111-8111-111111111111', 'A surprise party', 'SFO', 'JFK', '2026-05-20', '2026-05-24', 'private'),
  ('22222222-2222-4222-8222-222222222222', 'Coast to coast', 'JFK', 'SFO', '2026-04-10', '2026-04-20', 'followers');

insert into public.posts (author, trip_id, place, body)
select trip.traveller, trip.id, trip.destination, post.body
from public.trips as trip
join (
  values
    ('Museums in the rain', 'Forty drawings and one umbrella.'),
    ('A surprise party', 'Nobody may know yet!'),
    ('Coast to coast', 'Twelve days, two oceans.')
) as post (title, body) on post.title = trip.title;
