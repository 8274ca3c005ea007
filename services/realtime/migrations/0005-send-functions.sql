-- What triggers and functions of users call. A message that cannot be sent is a warning: it never fails the change that
-- caused it. Only a call that can never work (a statement trigger, an operation that does not exist) is an error.
set local search_path = '';
set local role supabase_realtime_admin;

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql set search_path = '' as $$
declare
  message_id constant uuid := gen_random_uuid();
begin
  -- Policies on realtime.messages ask realtime.topic().
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, topic, event, extension, private, payload)
  values (
    message_id, topic, event, 'broadcast', private,
    -- A receiver tells messages apart by their id. One that the sender chose stays.
    case
      when jsonb_typeof(payload) <> 'object' or payload ? 'id' then payload
      else payload || jsonb_build_object('id', message_id)
    end
  );
exception
  when others then
    raise warning 'message "%" to topic "%" was not sent: %', event, topic, sqlerrm using errcode = sqlstate;
end
$$;
comment on function realtime.send(jsonb, text, text, boolean) is 'Sends a JSON message to a channel at commit.';

create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true)
returns void
language plpgsql set search_path = '' as $$
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (topic, event, extension, private, binary_payload)
  values (topic, event, 'broadcast', private, payload);
exception
  when others then
    raise warning 'message "%" to topic "%" was not sent: %', event, topic, sqlerrm using errcode = sqlstate;
end
$$;
comment on function realtime.send_binary(bytea, text, text, boolean) is 'Sends bytes to a channel at commit.';

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void
language plpgsql set search_path = '' as $$
begin
  if level = 'STATEMENT' then
    raise exception 'realtime.broadcast_changes needs a trigger "for each row", not "for each statement"'
      using errcode = 'invalid_parameter_value';
  end if;
  if operation is null or operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'realtime.broadcast_changes knows INSERT, UPDATE and DELETE, not "%"', operation
      using errcode = 'invalid_parameter_value', hint = 'Pass tg_op.';
  end if;
  perform realtime.send(
    jsonb_build_object(
      'schema', table_schema, 'table', table_name, 'operation', operation, 'record', new, 'old_record', old),
    event_name, topic_name);
end
$$;
comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is
  'Sends the change of a row to a channel; called by a trigger "for each row".';

grant all on all routines in schema realtime to postgres, dashboard_user;

reset role;
