-- Three travellers to play with; every password is "wander-far". A trigger makes their profiles. Places and flights come
-- through the API, see src/load.ts.
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
  jsonb_build_object('handle', person.handle, 'full_name', person.full_name),
  now(),
  now()
from (
  values
    ('11111111-1111-4111-8111-111111111111', 'ada@roam.example', 'ada', 'Ada Lindqvist'),
    ('22222222-2222-4222-8222-222222222222', 'bo@roam.example', 'bo_r', 'Bo Rasmussen'),
    ('33333333-3333-4333-8333-333333333333', 'cleo@roam.example', 'cleo', 'Cleo Okafor')
) as person (id, email, handle, full_name);

insert into auth.identities (user_id, provider, provider_id, identity_data, created_at, updated_at)
select id, 'email', id::text, jsonb_build_object('sub', id, 'email', email, 'email_verified', true), now(), now()
from auth.users
where email like '%@roam.example';

insert into public.places (iata, name, city, state, country, latitude, longitude)
values
  ('SFO', 'San Francisco International', 'San Francisco', 'CA', 'USA', 37.61900194, -122.3748433),
  ('JFK', 'John F Kennedy Intl', 'New York', 'NY', 'USA', 40.63975111, -73.77892556),
  ('SEA', 'Seattle-Tacoma Intl', 'Seattle', 'WA', 'USA', 47.44898194, -122.3093131);

update public.profiles
set home = person.home
from (values ('ada', 'SFO'), ('bo_r', 'JFK'), ('cleo', 'SEA')) as person (handle, home)
where profiles.handle = person.handle;

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

-- Ada comes along from coast to coast.
insert into public.companions (trip_id, person)
select id, '11111111-1111-4111-8111-111111111111'
from public.trips
where title = 'Coast to coast';

insert into public.chat_messages (trip_id, author, body, sent_at)
select trip.id, said.author::uuid, said.body, said.sent_at::timestamptz
from public.trips as trip
join (
  values
    ('22222222-2222-4222-8222-222222222222', 'Twelve days, two oceans. Are you packed?', '2026-04-09 17:02Z'),
    ('11111111-1111-4111-8111-111111111111', 'Since Tuesday. I bring the map, you bring the music.', '2026-04-09 17:05Z')
) as said (author, body, sent_at) on trip.title = 'Coast to coast';

insert into public.posts (author, trip_id, place, body)
select trip.traveller, trip.id, trip.destination, post.body
from public.trips as trip
join (
  values
    ('Museums in the rain', 'Forty drawings and one umbrella.'),
    ('A surprise party', 'Nobody may know yet!'),
    ('Coast to coast', 'Twelve days, two oceans.')
) as post (title, body) on post.title = trip.title;
