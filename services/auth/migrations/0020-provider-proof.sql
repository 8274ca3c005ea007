-- How a provider made sure who somebody is, for policies that ask for more than that it vouches for them.
set local search_path = '';
set local role supabase_auth_admin;

alter table auth.sessions add column if not exists provider_proof jsonb;
comment on column auth.sessions.provider_proof is 'Claim "provider_proof" of its access tokens: iss, acr, amr, auth_time.';
alter table auth.flow_state add column if not exists provider_proof jsonb;
comment on column auth.flow_state.provider_proof is 'Goes to the session that begins with the code.';

reset role;
