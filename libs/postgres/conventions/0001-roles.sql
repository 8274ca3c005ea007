-- Roles, their settings and who may become whom. All of this belongs to the cluster, not to one database: other
-- databases of the cluster run this file too, so whatever exists already (and what an admin changed there) is kept.
set local search_path = '';

do $$
begin
  -- Only one database at a time writes the shared catalogues: without this, two runs end in "tuple concurrently
  -- updated". Who is not superuser cannot lock them and relies on the handlers below.
  if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    lock table pg_catalog.pg_authid in share row exclusive mode;
  elsif not (select rolcreaterole from pg_catalog.pg_roles where rolname = current_user) then
    raise exception 'role "%" cannot install the conventions: it may not create roles', current_user
      using errcode = 'insufficient_privilege',
        hint = pg_catalog.format('Connect as a superuser, or as a superuser run: alter role %I createrole;', current_user);
  end if;
end
$$;

-- A role is created in its plain form, then gets each attribute by itself: managed servers refuse some of them.
do $$
declare
  wanted record;
  attribute text;
begin
  for wanted in
    select role_name, plain, attributes
    from (values
      ('anon', 'nologin noinherit', '{}'::text[]),
      ('authenticated', 'nologin noinherit', '{}'),
      ('service_role', 'nologin noinherit', '{bypassrls}'),
      -- What the data API logs in as: it owns nothing and can only become one of the three above.
      ('authenticator', 'login noinherit', '{}'),
      -- What users' migrations run as. Not superuser: what an app's SQL can do here, it can do on a managed server.
      ('postgres', 'login inherit', '{createdb,createrole,replication,bypassrls}'),
      ('supabase_admin', 'nologin noinherit', '{}'),
      ('supabase_auth_admin', 'login noinherit', '{}'),
      ('supabase_storage_admin', 'login noinherit', '{}'),
      ('supabase_realtime_admin', 'login noinherit', '{}'),
      ('supabase_replication_admin', 'login', '{replication}'),
      ('dashboard_user', 'nologin', '{createdb,createrole,replication}')
    ) as roles (role_name, plain, attributes)
    where not exists (select from pg_catalog.pg_roles where rolname = role_name)
  loop
    begin
      execute pg_catalog.format('create role %I %s', wanted.role_name, wanted.plain);
    exception
      when duplicate_object or unique_violation then continue; -- another database of this cluster was faster
    end;
    foreach attribute in array wanted.attributes loop
      begin
        execute pg_catalog.format('alter role %I %s', wanted.role_name, attribute);
      exception
        when insufficient_privilege then
          raise notice 'role "%" stays without %: "%" may not grant it', wanted.role_name, attribute, current_user
            using hint = pg_catalog.format('As a superuser run: alter role %I %s;', wanted.role_name, attribute);
      end;
    end loop;
  end loop;
end
$$;

-- Memberships. The authenticator is never a member of an admin role: a forged or careless token must not reach one.
do $$
declare
  wanted record;
begin
  for wanted in
    select group_name, member_name, with_admin
    from (values
      ('anon', 'authenticator', false),
      ('authenticated', 'authenticator', false),
      ('service_role', 'authenticator', false),
      -- With admin option, so that `alter role authenticated set statement_timeout = …`, `alter role authenticator set
      -- pgrst.… = …` and `grant my_role to authenticator` work in a migration (needed since PostgreSQL 16).
      ('anon', 'postgres', true),
      ('authenticated', 'postgres', true),
      ('service_role', 'postgres', true),
      ('authenticator', 'postgres', true),
      -- Policies on storage.objects and realtime.messages, and dropping a trigger of auth.users, need their owner.
      ('supabase_auth_admin', 'postgres', false),
      ('supabase_storage_admin', 'postgres', false),
      ('supabase_realtime_admin', 'postgres', false),
      ('pg_monitor', 'postgres', false),
      ('pg_read_all_data', 'postgres', false),
      ('pg_signal_backend', 'postgres', false),
      ('pg_create_subscription', 'postgres', false),
      -- A service that logs in by its own name acts for its callers.
      ('authenticator', 'supabase_storage_admin', false),
      ('anon', 'supabase_realtime_admin', false),
      ('authenticated', 'supabase_realtime_admin', false),
      ('service_role', 'supabase_realtime_admin', false),
      -- An admin who is not superuser creates the services' tables by becoming their owner.
      ('postgres', current_user::text, false),
      ('supabase_auth_admin', current_user::text, false),
      ('supabase_storage_admin', current_user::text, false),
      ('supabase_realtime_admin', current_user::text, false)
    ) as memberships (group_name, member_name, with_admin)
    where group_name <> member_name
      and exists (select from pg_catalog.pg_roles where rolname = group_name)
      and not exists (
        select from pg_catalog.pg_roles where rolname = member_name and rolsuper
      )
      and not exists (
        select
        from pg_catalog.pg_auth_members as membership
        join pg_catalog.pg_roles as groups on groups.oid = membership.roleid
        join pg_catalog.pg_roles as members on members.oid = membership.member
        where groups.rolname = group_name and members.rolname = member_name
          and (membership.admin_option or not with_admin)
          -- PostgreSQL 16 split membership; who creates a role there may administer it but not become it.
          and coalesce((pg_catalog.to_jsonb(membership) ->> 'set_option')::boolean, true)
      )
  loop
    begin
      execute pg_catalog.format('grant %I to %I', wanted.group_name, wanted.member_name)
        || case when wanted.with_admin then ' with admin option' else '' end;
    exception
      when unique_violation then null; -- another database of this cluster was faster
      when insufficient_privilege or invalid_grant_operation then
        raise notice 'role "%" is not granted to "%": %', wanted.group_name, wanted.member_name, sqlerrm
          using hint = pg_catalog.format(
            'As a superuser run: grant %I to %I;', wanted.group_name, wanted.member_name);
    end;
  end loop;
end
$$;

-- Limits of the API roles, and the search_path of users' SQL. A value somebody set before stays.
do $$
declare
  wanted record;
begin
  for wanted in
    select role_name, setting, value
    from (values
      ('anon', 'statement_timeout', $v$'3s'$v$),
      ('authenticated', 'statement_timeout', $v$'8s'$v$),
      ('authenticator', 'statement_timeout', $v$'8s'$v$),
      ('authenticator', 'lock_timeout', $v$'8s'$v$),
      ('authenticator', 'idle_in_transaction_session_timeout', $v$'60s'$v$),
      ('supabase_auth_admin', 'idle_in_transaction_session_timeout', $v$'60s'$v$),
      ('supabase_storage_admin', 'idle_in_transaction_session_timeout', $v$'60s'$v$),
      ('postgres', 'search_path', $v$"$user", public, extensions$v$)
    ) as settings (role_name, setting, value)
    where not exists (
      select
      from pg_catalog.pg_db_role_setting as stored
      join pg_catalog.pg_roles as roles on roles.oid = stored.setrole
      cross join lateral pg_catalog.unnest(stored.setconfig) as config
      where stored.setdatabase = 0 and roles.rolname = role_name
        and pg_catalog.split_part(config, '=', 1) = setting
    )
      and not exists (select from pg_catalog.pg_roles where rolname = role_name and rolsuper)
  loop
    begin
      execute pg_catalog.format('alter role %I set %I = %s', wanted.role_name, wanted.setting, wanted.value);
    exception
      when insufficient_privilege then
        raise notice 'role "%" stays without %: %', wanted.role_name, wanted.setting, sqlerrm
          using hint = pg_catalog.format(
            'As a superuser run: alter role %I set %I = %s;', wanted.role_name, wanted.setting, wanted.value);
    end;
  end loop;
end
$$;

-- Parameters that `postgres` may set although it is not superuser: the data API's in-database configuration
-- (`alter role authenticator set pgrst.…`), and what seeds use to load rows without firing triggers.
do $$
declare
  parameter text;
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    raise notice 'role "postgres" may not set pgrst.* on the authenticator: only a superuser can grant that'
      using hint = 'Configure the data API outside of the database, or as a superuser run: '
        'grant set on parameter pgrst.db_max_rows to postgres; (and so on for each parameter)';
    return;
  end if;
  foreach parameter in array array[
    'pgrst.client_error_verbosity', 'pgrst.db_aggregates_enabled', 'pgrst.db_anon_role',
    'pgrst.db_extra_search_path', 'pgrst.db_hoisted_tx_settings', 'pgrst.db_max_rows', 'pgrst.db_plan_enabled',
    'pgrst.db_pre_config', 'pgrst.db_pre_request', 'pgrst.db_prepared_statements', 'pgrst.db_root_spec',
    'pgrst.db_schemas', 'pgrst.db_tx_end', 'pgrst.jwt_aud', 'pgrst.jwt_cache_max_entries',
    'pgrst.jwt_role_claim_key', 'pgrst.jwt_secret', 'pgrst.jwt_secret_is_base64', 'pgrst.openapi_mode',
    'pgrst.openapi_security_active', 'pgrst.openapi_server_proxy_uri', 'pgrst.server_cors_allowed_origins',
    'pgrst.server_timing_enabled', 'pgrst.server_trace_header', 'pgrst.url_use_legacy_target_names',
    'session_replication_role'
  ]
  loop
    execute pg_catalog.format('grant set on parameter %s to postgres', parameter);
  end loop;
end
$$;
