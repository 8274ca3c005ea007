-- What the service needs beside the public contract.
set local search_path = '';
set local role supabase_auth_admin;

-- Only the hash of the refresh token that is good now. Older ones of the session are recognised by following the chain
-- that `refresh_token_hmac_key` makes from one to the next; a copy of this table signs nobody in.
alter table auth.sessions add column if not exists refresh_token_hash bytea;

-- Member by member; null removes one.
create or replace function auth.merge_metadata(old jsonb, changes jsonb) returns jsonb
language sql immutable as $$
  select coalesce(pg_catalog.jsonb_object_agg(member.key, member.value), '{}')
  from pg_catalog.jsonb_each(coalesce(old, '{}') || changes) as member
  where pg_catalog.jsonb_typeof(member.value) <> 'null' or not changes ? member.key
$$;
revoke all on function auth.merge_metadata(jsonb, jsonb) from public;

reset role;
