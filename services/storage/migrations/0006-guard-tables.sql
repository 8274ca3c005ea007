-- Row security decides: the API roles may name every row of buckets and objects, and without a policy they see none.
-- Not `truncate`, which no policy guards.
set local search_path = '';
set local role supabase_storage_admin;

revoke all on all tables in schema storage from public, anon, authenticated;
grant select, insert, update, delete on storage.buckets, storage.objects to anon, authenticated;
grant select on storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts to anon, authenticated;
grant all on all tables in schema storage to postgres, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;
grant all on all routines in schema storage to postgres, anon, authenticated, service_role;

alter default privileges in schema storage grant all on tables to postgres, service_role;
alter default privileges in schema storage grant all on sequences to postgres, service_role;
alter default privileges in schema storage grant all on routines to postgres, anon, authenticated, service_role;

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table storage.migrations enable row level security;
alter table storage.s3_multipart_uploads enable row level security;
alter table storage.s3_multipart_uploads_parts enable row level security;

reset role;
