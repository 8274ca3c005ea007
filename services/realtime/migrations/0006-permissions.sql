-- What the policies on realtime.messages allow somebody in a topic: rows of both extensions are written, looked at and
-- written again as that role, and all of it is undone. One call, because every join of a private channel waits for it.
set local search_path = '';
set local role supabase_realtime_admin;

create or replace function realtime.permissions(topic text, role text, claims text)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  extension text;
  ids uuid[] := array[gen_random_uuid(), gen_random_uuid()];
  allowed jsonb;
begin
  begin
    insert into realtime.messages (id, topic, extension, private)
    values (ids[1], permissions.topic, 'broadcast', true), (ids[2], permissions.topic, 'presence', true);
    perform set_config('role', permissions.role, true),
      set_config('realtime.topic', permissions.topic, true),
      set_config('request.jwt.claims', permissions.claims, true),
      set_config('request.jwt.claim.sub', coalesce(permissions.claims::jsonb ->> 'sub', ''), true),
      set_config('request.jwt.claim.role', permissions.role, true);
    select jsonb_object_agg(name, jsonb_build_object('read', seen.id is not null, 'write', false)) into allowed
    from (values ('broadcast', ids[1]), ('presence', ids[2])) as asked (name, id)
    left join realtime.messages as seen on seen.id = asked.id;
    foreach extension in array array['broadcast', 'presence'] loop
      begin
        insert into realtime.messages (topic, extension, private) values (permissions.topic, extension, true);
        allowed := jsonb_set(allowed, array[extension, 'write'], 'true');
      exception
        when insufficient_privilege then null;
      end;
    end loop;
    raise exception using errcode = 'PNDUN', message = allowed::text;
  exception
    when sqlstate 'PNDUN' then allowed := sqlerrm::jsonb;
  end;
  return allowed;
end
$$;
comment on function realtime.permissions(text, text, text) is
  'Whether a role with these claims may read and write in a topic: {"broadcast": {"read", "write"}, "presence": {…}}.';
revoke execute on function realtime.permissions(text, text, text) from public;

grant all on all routines in schema realtime to postgres, dashboard_user;

reset role;
