-- Documents that people edit together: updates of Yjs in the order they were written. Any number of updates may stand as
-- one, so folding the older ones together is replacing rows by one row, and whoever reads in between gets the same.
set local search_path = '';
set local role supabase_realtime_admin;

create table if not exists realtime.documents (
  id bigint generated always as identity primary key,
  topic text not null,
  private boolean not null,
  last_seq bigint not null,
  folded_seq bigint not null default 0,
  bytes bigint not null,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint documents_topic_key unique (topic, private)
);
comment on table realtime.documents is 'Documents on channels; a writer holds its row, so that updates are visible in order.';
comment on column realtime.documents.folded_seq is 'Updates up to this one are the row of that number.';
comment on column realtime.documents.bytes is 'Of all its updates.';

create table if not exists realtime.document_updates (
  document_id bigint not null references realtime.documents on delete cascade,
  seq bigint not null,
  bytes bytea not null,
  constraint document_updates_pkey primary key (document_id, seq)
);
comment on table realtime.document_updates is 'What documents are made of (Yjs update format, version 1).';

alter table realtime.documents enable row level security;
alter table realtime.document_updates enable row level security;
revoke all on realtime.documents, realtime.document_updates from public;
grant select, delete on realtime.documents, realtime.document_updates to postgres, service_role, dashboard_user;

reset role;
