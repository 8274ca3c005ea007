-- What a change needs Postgres for: conditions that only Postgres decides, and policies, asked as each caller on the row
-- as it is now. One call answers for many callers, each in a block of its own, so that a policy that raises concerns one.
set local search_path = '';
set local role supabase_realtime_admin;

create or replace function realtime.holds(
  operator text, type oid, collation_id oid, value text, operand text
) returns boolean
language plpgsql stable as $$
declare
  type_name constant text := pg_catalog.format_type(type, -1);
  collated constant text := coalesce(
    (select pg_catalog.format(' collate %s', oid::pg_catalog.regcollation)
     from pg_catalog.pg_collation where oid = collation_id), '');
  answer boolean;
begin
  execute pg_catalog.format(
    case operator
      when 'in' then 'select ($1::%1$s)%2$s = any ($2::%1$s[])'
      when 'isdistinct' then 'select ($1::%1$s)%2$s is distinct from $2::%1$s'
      when 'is' then 'select ($1::%1$s) is ' || case when operand in ('null', 'true', 'false', 'unknown') then operand end
      else 'select ($1::%1$s)%2$s ' || case operator
        when 'eq' then '=' when 'neq' then '<>' when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>'
        when 'gte' then '>=' when 'like' then '~~' when 'ilike' then '~~*' when 'match' then '~' when 'imatch' then '~*'
      end || ' $2::%1$s'
    end, type_name, collated)
  into strict answer using value, operand;
  return answer;
end
$$;
comment on function realtime.holds(text, oid, oid, text, text) is 'A condition of a subscription on the value of a column.';

create or replace function realtime.read_operand(operator text, type oid, operand text) returns text
language plpgsql stable as $$
declare
  type_name constant text := pg_catalog.format_type(type, -1);
  given text := operand;
  size integer;
begin
  if operator = 'in' then
    execute pg_catalog.format('select pg_catalog.format(''%%s'', $1::%1$s[]), pg_catalog.cardinality($1::%1$s[])', type_name)
    into given, size using operand;
    if size > 100 then
      raise exception 'too many values for `in` filter. Maximum 100';
    end if;
  elsif operator = 'is' then
    if operand not in ('null', 'true', 'false', 'unknown') then
      raise exception 'invalid value for is filter: must be null, true, false, or unknown';
    elsif operand <> 'null' and type <> 'boolean'::pg_catalog.regtype then
      raise exception 'is % filter requires a boolean column, got %', operand, type_name;
    end if;
  elsif operator in ('like', 'ilike', 'match', 'imatch') then
    if not exists (
      select from pg_catalog.pg_operator
      where oprleft = type
        and oprname = case operator when 'like' then '~~' when 'ilike' then '~~*' when 'match' then '~' else '~*' end
    ) then
      raise exception 'operator % requires a text-compatible column type, got %', operator, type_name;
    end if;
    if operator in ('match', 'imatch') then
      begin
        perform '' ~ operand;
      exception
        when others then
          raise exception 'invalid regular expression for % filter: %', operator, sqlerrm;
      end;
    end if;
  else
    -- As the log prints it: a cast to text would write true for t.
    execute pg_catalog.format('select pg_catalog.format(''%%s'', $1::%s)', type_name) into given using operand;
  end if;
  -- An operator that the type does not have is told now, not at the first change.
  perform realtime.holds(operator, type, 0::oid, null, given);
  return given;
end
$$;
comment on function realtime.read_operand(text, oid, text) is
  'The operand of a subscription''s condition as Postgres prints it, or an error that says what is wrong with it.';

create or replace function realtime.sees(question jsonb) returns jsonb
language plpgsql as $$
declare
  given constant text[] := array(select pg_catalog.jsonb_array_elements_text(question -> 'values'));
  statement text;
  caller jsonb;
  is_prepared boolean := false;
  sees boolean;
  verdicts text[] := '{}';
begin
  -- The key comes first and is found by its index; the other values are compared as text, which every type has.
  select pg_catalog.format('prepare realtime_sees (text[]) as select exists (select from %s as changed where %s)',
    (question ->> 'table')::oid::pg_catalog.regclass,
    pg_catalog.string_agg(
      pg_catalog.format(
        case
          when place <= (question ->> 'keys')::integer then 'changed.%1$I = ($1[%2$s])::%3$s'
          else '(changed.%1$I)::text is not distinct from (($1[%2$s])::%3$s)::text'
        end,
        name, place, pg_catalog.format_type(atttypid, -1)), ' and ' order by place))
  into statement
  from pg_catalog.jsonb_array_elements_text(question -> 'columns') with ordinality as asked (name, place)
  join pg_catalog.pg_attribute on attrelid = (question ->> 'table')::oid and attname = name and not attisdropped
  -- A column that went missing must not make the question easier.
  having pg_catalog.count(*) = pg_catalog.jsonb_array_length(question -> 'columns');
  -- A question that was interrupted leaves its statement behind.
  if exists (select from pg_catalog.pg_prepared_statements where name = 'realtime_sees') then
    deallocate realtime_sees;
  end if;
  -- Planned once for all callers of a role: Postgres plans anew when row security is for another role.
  perform pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true);
  for caller in select * from pg_catalog.jsonb_array_elements(question -> 'callers') loop
    begin
      perform pg_catalog.set_config('role', caller ->> 'role', true),
        pg_catalog.set_config('request.jwt.claims', caller ->> 'claims', true),
        pg_catalog.set_config('request.jwt.claim.sub', coalesce((caller ->> 'claims')::json ->> 'sub', ''), true);
      sees := false;
      if statement is not null then
        if not is_prepared then
          execute statement;
          is_prepared := true;
        end if;
        execute pg_catalog.format('execute realtime_sees (%L)', given) into sees;
      end if;
      verdicts := verdicts || sees::text;
    exception
      when others then
        verdicts := verdicts || pg_catalog.format('%s %s', sqlstate, sqlerrm);
    end;
    perform pg_catalog.set_config('role', 'none', true);
  end loop;
  if is_prepared then
    deallocate realtime_sees;
  end if;
  return pg_catalog.to_jsonb(verdicts);
end
$$;
comment on function realtime.sees(jsonb) is
  'Which of {callers: [{role, claims}]} see the row of {table, columns, values, keys}: "true", "false" or an error each.';

create or replace function realtime.check_changes(questions jsonb) returns jsonb
language plpgsql as $$
declare
  question jsonb;
  answers jsonb[] := '{}';
begin
  for question in select * from pg_catalog.jsonb_array_elements(questions) loop
    if question ? 'callers' then
      answers := answers || realtime.sees(question);
    else
      begin
        answers := answers || pg_catalog.jsonb_build_array(realtime.holds(
          question ->> 'operator', (question ->> 'type')::oid, (question ->> 'collation')::oid,
          question ->> 'value', question ->> 'operand')::text);
      exception
        when others then
          answers := answers || pg_catalog.jsonb_build_array(pg_catalog.format('%s %s', sqlstate, sqlerrm));
      end;
    end if;
  end loop;
  return pg_catalog.to_jsonb(answers);
end
$$;
comment on function realtime.check_changes(jsonb) is 'Answers questions about rows (realtime.sees) and conditions (realtime.holds).';

revoke execute on function realtime.holds(text, oid, oid, text, text), realtime.read_operand(text, oid, text),
  realtime.sees(jsonb), realtime.check_changes(jsonb) from public;
grant usage on schema realtime to authenticator;
grant execute on function realtime.holds(text, oid, oid, text, text), realtime.read_operand(text, oid, text),
  realtime.sees(jsonb), realtime.check_changes(jsonb) to authenticator;

grant all on all routines in schema realtime to postgres, dashboard_user;

reset role;
