-- What a policy may ask about the caller. The claims arrive as one JSON text in `request.jwt.claims`; the older form,
-- one parameter a claim (`request.jwt.claim.sub`), still wins when it is set, and costs no JSON parsing.
--
-- A policy without a sub-select calls these once a row, so each is a single expression of stable parts: the planner
-- inlines it, and no function call remains. `json` instead of `jsonb` because a text that is read once and thrown away
-- is not worth building a tree for.
set local search_path = '';
set local role supabase_auth_admin;

create or replace function auth.uid() returns uuid
language sql stable as $$
  select coalesce(
    nullif(pg_catalog.current_setting('request.jwt.claim.sub', true), ''),
    nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::json ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text
language sql stable as $$
  select coalesce(
    nullif(pg_catalog.current_setting('request.jwt.claim.role', true), ''),
    nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::json ->> 'role'
  )
$$;

create or replace function auth.email() returns text
language sql stable as $$
  select coalesce(
    nullif(pg_catalog.current_setting('request.jwt.claim.email', true), ''),
    nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::json ->> 'email'
  )
$$;

create or replace function auth.jwt() returns jsonb
language sql stable as $$
  select coalesce(
    nullif(pg_catalog.current_setting('request.jwt.claim', true), ''),
    nullif(pg_catalog.current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

comment on function auth.uid() is 'The id of the signed-in person: claim "sub" of the request, or null.';
comment on function auth.role() is 'The role of the request: claim "role", or null.';
comment on function auth.email() is 'The e-mail address of the signed-in person: claim "email", or null.';
comment on function auth.jwt() is 'All claims of the request, or null.';

reset role;
