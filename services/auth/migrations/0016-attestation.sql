-- Devices that Apple or Google vouch for. What they say of a session stands in its row, and goes into its access tokens.
set local search_path = '';
set local role supabase_auth_admin;

alter table auth.sessions add column if not exists attestation jsonb;
comment on column auth.sessions.attestation is 'Claim "attestation" of its access tokens: provider, app_id, level, attested_at, expires_at.';

-- A session has one, so that asking for many fills no table.
create table if not exists auth.attestation_challenges (
  session_id uuid not null constraint attestation_challenges_pkey primary key
    constraint attestation_challenges_session_id_fkey references auth.sessions (id) on delete cascade,
  challenge_hash bytea not null,
  expires_at timestamptz not null
);
comment on table auth.attestation_challenges is 'Hashes of what devices have been asked to sign.';

create table if not exists auth.attested_keys (
  key_id bytea not null constraint attested_keys_pkey primary key,
  user_id uuid not null constraint attested_keys_user_id_fkey references auth.users (id) on delete cascade,
  app_id text not null,
  level text not null,
  public_key bytea not null,
  counter bigint not null default 0,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now()
);
comment on table auth.attested_keys is 'Keys that Apple has attested (App Attest), one for each installation of an app.';
comment on column auth.attested_keys.counter is 'Of the last assertion; the next one has to be greater.';
create index if not exists attested_keys_user_id_idx on auth.attested_keys (user_id);

alter table auth.attestation_challenges enable row level security;
alter table auth.attested_keys enable row level security;
revoke all on table auth.attestation_challenges, auth.attested_keys from public, anon, authenticated, service_role;
grant all on table auth.attestation_challenges, auth.attested_keys to postgres, dashboard_user;

reset role;
