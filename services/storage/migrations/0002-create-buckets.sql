-- Buckets and objects. A row says that a file exists and who may touch it; the bytes are elsewhere. Column names,
-- types, nullability and defaults are a public contract: users' SQL seeds buckets and writes policies on objects.
set local search_path = '';
set local role supabase_storage_admin;

do $$
begin
  if to_regtype('storage.buckettype') is null then
    create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');
  end if;
end
$$;

create table if not exists storage.buckets (
  id text not null constraint buckets_pkey primary key,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text,
  type storage.buckettype not null default 'STANDARD',
  versioning_status text not null default 'DISABLED'
    constraint buckets_versioning_status_check check (versioning_status in ('DISABLED', 'ENABLED', 'SUSPENDED'))
    -- Nothing keeps old versions yet, so no bucket may claim it.
    constraint buckets_versioning_dark_check check (versioning_status = 'DISABLED'),
  constraint buckets_versioning_standard_only_check check (type = 'STANDARD' or versioning_status = 'DISABLED')
);
comment on table storage.buckets is 'Places for files, each with its own limits.';
comment on column storage.buckets.public is 'Anybody reads its files by URL; writing still follows the policies.';
comment on column storage.buckets.file_size_limit is 'Bytes; null: the limit of the server.';
comment on column storage.buckets.owner is 'Deprecated: owner_id also holds subjects that are no UUID.';
create unique index if not exists bname on storage.buckets (name);

create table if not exists storage.objects (
  id uuid not null default gen_random_uuid() constraint objects_pkey primary key,
  bucket_id text constraint "objects_bucketId_fkey" references storage.buckets (id),
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb,
  archived_at timestamptz,
  is_delete_marker boolean not null default false,
  is_versioned boolean not null default false
);
comment on table storage.objects is 'Files. A policy on this table decides who reads, lists and writes them.';
comment on column storage.objects.name is 'The path inside of the bucket, without a leading slash.';
comment on column storage.objects.owner is 'Deprecated: owner_id also holds subjects that are no UUID.';
create unique index if not exists bucketid_objname on storage.objects (bucket_id, name);
create index if not exists name_prefix_search on storage.objects (name text_pattern_ops);
-- Lists walk a bucket in byte order, with or without regard to case.
create index if not exists idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
create index if not exists idx_objects_bucket_id_name_lower on storage.objects (bucket_id, lower(name) collate "C");

create table if not exists storage.migrations (
  id integer not null constraint migrations_pkey primary key,
  name varchar(100) not null constraint migrations_name_key unique,
  hash varchar(40) not null,
  executed_at timestamp default current_timestamp
);
comment on table storage.migrations is 'Unused; existing tools expect it. Our ledger of migrations is elsewhere.';

create or replace function storage.update_updated_at_column() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at = now();
  return new;
end
$$;
create or replace trigger update_objects_updated_at
  before update on storage.objects
  for each row execute function storage.update_updated_at_column();

create or replace function storage.enforce_bucket_name_length() returns trigger
language plpgsql set search_path = '' as $$
declare
  name_length_max constant integer := 100;
begin
  if length(new.name) > name_length_max then
    raise exception 'bucket name "%" has % characters, at most % are allowed',
      new.name, length(new.name), name_length_max;
  end if;
  return new;
end
$$;
create or replace trigger enforce_bucket_name_length_trigger
  before insert or update of name on storage.buckets
  for each row execute function storage.enforce_bucket_name_length();

-- A row that goes away by SQL leaves its bytes behind for ever; the service says that it removes both.
create or replace function storage.protect_delete() returns trigger
language plpgsql set search_path = '' as $$
begin
  if coalesce(current_setting('storage.allow_delete_query', true), '') <> 'true' then
    raise exception 'rows of %.% are not deleted by SQL: the stored bytes would stay', tg_table_schema, tg_table_name
      using errcode = 'insufficient_privilege',
        hint = 'Delete by the storage API. To drop rows alone: set local storage.allow_delete_query = ''true'';';
  end if;
  return null;
end
$$;
create or replace trigger protect_objects_delete
  before delete on storage.objects
  for each statement execute function storage.protect_delete();
create or replace trigger protect_buckets_delete
  before delete on storage.buckets
  for each statement execute function storage.protect_delete();

reset role;
