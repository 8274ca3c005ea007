-- What second factors need beside the public contract.
set local search_path = '';
set local role supabase_auth_admin;

-- A code is good once: the last time step (RFC 6238 §4.2) that was accepted.
alter table auth.mfa_factors add column if not exists last_totp_step bigint;
alter table auth.mfa_challenges add column if not exists tries integer not null default 0;

-- Two people may be asked in the same microsecond.
alter table auth.mfa_factors drop constraint if exists mfa_factors_last_challenged_at_key;
create index if not exists mfa_challenges_factor_id_idx on auth.mfa_challenges (factor_id);
create index if not exists sessions_factor_id_idx on auth.sessions (factor_id) where factor_id is not null;

create table if not exists auth.mfa_recovery_codes (
  user_id uuid not null constraint mfa_recovery_codes_user_id_fkey references auth.users (id) on delete cascade,
  code_hash text not null,
  created_at timestamptz not null default now(),
  constraint mfa_recovery_codes_pkey primary key (user_id, code_hash)
);
comment on table auth.mfa_recovery_codes is 'Hashes of the codes that stand in for a second factor once.';
alter table auth.mfa_recovery_codes enable row level security;
revoke all on table auth.mfa_recovery_codes from public, anon, authenticated, service_role;
grant all on table auth.mfa_recovery_codes to postgres, dashboard_user;

reset role;
