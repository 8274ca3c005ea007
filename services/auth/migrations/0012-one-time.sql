-- Codes and links that prove an address. `token_hash` is the hash of what a link holds; a code has a hash of its own.
set local search_path = '';
set local role supabase_auth_admin;

alter table auth.one_time_tokens
  add column if not exists purpose text,
  add column if not exists code_hash text,
  add column if not exists code_tries smallint not null default 0,
  add column if not exists expires_at timestamptz,
  add column if not exists flow_state_id uuid;
comment on column auth.one_time_tokens.purpose is 'What it may be used for; nothing else.';
comment on column auth.one_time_tokens.code_hash is 'HMAC of the code that goes with it.';
comment on column auth.one_time_tokens.flow_state_id is 'The app that waits for a code in exchange (PKCE).';

create table if not exists auth.recent_sends (
  key text not null constraint recent_sends_pkey primary key,
  free_at timestamptz not null
);
comment on table auth.recent_sends is 'Who may not get another message of a kind yet, known or not; keys are hashes.';
create index if not exists recent_sends_free_at_idx on auth.recent_sends (free_at);
alter table auth.recent_sends enable row level security;

reset role;
