insert into public.authors (id, name, avatar)
select n, 'Author ' || n, 'https://cdn.example/avatars/' || n || '.png' from generate_series(1, 1000) as n;

-- 100,000 rows: those with an even id, and so an even score, are public; a fifth of the others belong to the signed-in user
-- of the load.
insert into public.items (id, owner, author_id, title, body, score, is_public, created_at)
select
  n,
  case when n % 10 = 1 then '11111111-1111-4111-8111-111111111111' else '22222222-2222-4222-8222-222222222222' end::uuid,
  1 + n % 1000,
  'Item ' || n,
  repeat('words of item ' || n || ' ', 8),
  n % 5000,
  n % 2 = 0,
  timestamptz '2026-01-01' + n * interval '1 second'
from generate_series(1, 100000) as n;

analyze;
