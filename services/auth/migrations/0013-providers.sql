-- What is checked when somebody comes back from a provider. The state itself travels through browsers, so only its hash is
-- kept; the row goes with its flow, and whoever takes it out comes first.
set local search_path = '';
set local role supabase_auth_admin;

alter table auth.oauth_client_states
  add column if not exists state_hash bytea,
  add column if not exists browser_hash bytea,
  add column if not exists nonce text,
  add column if not exists flow_state_id uuid;

-- An identity that is added to the account of `linking_target_id` when the app that asked for it shows its verifier.
alter table auth.flow_state add column if not exists awaited_identity jsonb;

do $$
begin
  if not exists (select from pg_catalog.pg_constraint where conname = 'oauth_client_states_flow_state_id_fkey') then
    alter table auth.oauth_client_states add constraint oauth_client_states_flow_state_id_fkey
      foreign key (flow_state_id) references auth.flow_state (id) on delete cascade;
  end if;
end
$$;

create unique index if not exists oauth_client_states_state_hash_key on auth.oauth_client_states (state_hash);
create index if not exists oauth_client_states_flow_state_id_idx on auth.oauth_client_states (flow_state_id);

reset role;
