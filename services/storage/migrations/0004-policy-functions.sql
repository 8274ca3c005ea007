-- What a policy may ask about a path and about the request. Each is one expression, so the planner inlines it.
set local search_path = '';
set local role supabase_storage_admin;

create or replace function storage.foldername(name text) returns text[]
language sql immutable as $$
  select (string_to_array(name, '/'))[1 : array_length(string_to_array(name, '/'), 1) - 1]
$$;
comment on function storage.foldername(text) is 'The folders of a path: ''a/b/c.png'' → {a,b}.';

create or replace function storage.filename(name text) returns text
language sql immutable as $$
  select split_part(name, '/', -1)
$$;
comment on function storage.filename(text) is 'The last part of a path: ''a/b/c.png'' → ''c.png''.';

create or replace function storage.extension(name text) returns text
language sql immutable as $$
  select split_part(split_part(name, '/', -1), '.', -1)
$$;
comment on function storage.extension(text) is
  'What follows the last dot: ''a/b/c.tar.gz'' → ''gz''; without a dot, the whole file name.';

create or replace function storage.operation() returns text
language sql stable as $$
  select current_setting('storage.operation', true)
$$;
comment on function storage.operation() is 'What the storage API is doing, e.g. ''storage.object.upload'', or null.';

create or replace function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable as $$
  select coalesce(
    regexp_replace(storage.operation(), '^storage\.', '')
      = nullif(regexp_replace(expected_operation, '^storage\.', ''), ''),
    false
  )
$$;
comment on function storage.allow_only_operation(text) is
  'Whether the storage API is doing just this; the prefix ''storage.'' may be left out. False outside of the API.';

create or replace function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable as $$
  select exists (
    select from unnest(expected_operations) as expected where storage.allow_only_operation(expected)
  )
$$;
comment on function storage.allow_any_operation(text[]) is 'Whether the storage API is doing one of these.';

create or replace function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
language sql stable as $$
  select sum((objects.metadata ->> 'size')::bigint)::bigint, objects.bucket_id
  from storage.objects
  group by objects.bucket_id
$$;
comment on function storage.get_size_by_bucket() is 'Bytes in each bucket, of the objects the caller may see.';

reset role;
