-- The database itself, the schemas every project expects, and the extensions that are there from the start.
set local search_path = '';

-- Our own functions live here. Nobody but its owner can replace them.
create schema if not exists pando;
grant usage on schema pando to public;

-- Gives what another server's migrations left in a schema to the role that owns it here, so that the service's own
-- migrations (which run as that role) can go on from there. Only a superuser can: otherwise it changes nothing.
create or replace function pando.hand_over(schema_name name, new_owner name) returns void
language plpgsql set search_path = '' as $$
declare
  statement text;
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    return;
  end if;
  for statement in
    with stranger as (
      select oid from pg_catalog.pg_roles where rolname <> new_owner
    )
    select pg_catalog.format('alter table %s owner to %I', oid::regclass, new_owner)
    from pg_catalog.pg_class
    where relnamespace = schema_name::text::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
      and relowner in (select oid from stranger)
    union all
    select pg_catalog.format('alter routine %s owner to %I', oid::regprocedure, new_owner)
    from pg_catalog.pg_proc
    where pronamespace = schema_name::text::regnamespace and proowner in (select oid from stranger)
    union all
    select pg_catalog.format('alter type %s owner to %I', oid::regtype, new_owner)
    from pg_catalog.pg_type
    where typnamespace = schema_name::text::regnamespace and typtype in ('e', 'd', 'r')
      and typowner in (select oid from stranger)
    union all
    select pg_catalog.format('alter type %s owner to %I', pg_type.oid::regtype, new_owner)
    from pg_catalog.pg_type
    join pg_catalog.pg_class on pg_class.oid = pg_type.typrelid
    where typnamespace = schema_name::text::regnamespace and typtype = 'c' and relkind = 'c'
      and typowner in (select oid from stranger)
  loop
    execute statement;
  end loop;
end
$$;
revoke execute on function pando.hand_over(name, name) from public;

-- `postgres` owns the database (hence `public`, by pg_database_owner: dumped migrations say `comment on schema
-- public`), unless it belongs to somebody who is not superuser. Owned or not, it may create schemas in it.
do $$
declare
  database constant text := pg_catalog.current_database();
begin
  if exists (
    select
    from pg_catalog.pg_database
    join pg_catalog.pg_roles on pg_roles.oid = datdba
    where datname = database and rolsuper and rolname <> 'postgres'
  ) and (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute pg_catalog.format('alter database %I owner to postgres', database);
  end if;
  begin
    execute pg_catalog.format('grant all on database %I to postgres, dashboard_user', database);
    execute pg_catalog.format(
      'grant create, temporary on database %I to supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin',
      database);
    -- Functions of the extensions are found without a prefix: crypt(), uuid_generate_v4().
    if not exists (
      select
      from pg_catalog.pg_db_role_setting as stored
      join pg_catalog.pg_database on pg_database.oid = stored.setdatabase
      cross join lateral pg_catalog.unnest(stored.setconfig) as config
      where stored.setrole = 0 and datname = database and config like 'search_path=%'
    ) then
      execute pg_catalog.format('alter database %I set search_path = "$user", public, extensions', database);
    end if;
  exception
    when insufficient_privilege then
      raise notice 'database "%" keeps its grants and search_path: %', database, sqlerrm
        using hint = pg_catalog.format('Run it as the owner of the database, or: alter database %I owner to %I;',
          database, current_user);
  end;
end
$$;

create schema if not exists extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to postgres, dashboard_user;

-- Only its name: our GraphQL is not pg_graphql, but configurations list this schema and migrations grant on it.
create schema if not exists graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;

-- `public` may belong to somebody else on an existing server; `create schema if not exists` restores a dropped one.
do $$
begin
  create schema if not exists public;
  grant usage on schema public to anon, authenticated, service_role;
  grant usage, create on schema public to postgres;
exception
  when insufficient_privilege then
    raise notice 'schema public keeps its grants: %', sqlerrm
      using hint = 'As its owner run: grant usage on schema public to anon, authenticated, service_role; '
        'grant usage, create on schema public to postgres;';
end
$$;

do $$
declare
  extension text;
begin
  foreach extension in array array['pgcrypto', 'uuid-ossp', 'pg_stat_statements'] loop
    if not exists (select from pg_catalog.pg_available_extensions where name = extension) then
      raise notice 'extension "%" is not available on this server: go on without it', extension;
      continue;
    end if;
    begin
      execute pg_catalog.format('create extension if not exists %I with schema extensions', extension);
    exception
      when unique_violation or duplicate_object then null; -- somebody was faster
      when insufficient_privilege then
        raise notice 'extension "%" is not installed: %', extension, sqlerrm
          using hint = pg_catalog.format('As a superuser run: create extension %I with schema extensions;', extension);
    end;
  end loop;
end
$$;

-- `postgres` may use what a superuser installed here (pg_stat_statements_reset among it), and pass it on. What it
-- installs itself is its own.
do $$
begin
  if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    grant all on all tables in schema extensions to postgres with grant option;
    grant all on all routines in schema extensions to postgres with grant option;
    grant all on all sequences in schema extensions to postgres with grant option;
  end if;
end
$$;
alter default privileges in schema extensions grant all on tables to postgres with grant option;
alter default privileges in schema extensions grant all on routines to postgres with grant option;
alter default privileges in schema extensions grant all on sequences to postgres with grant option;
