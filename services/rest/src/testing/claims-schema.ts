/** Functions that tell who calls, and functions that leave things behind in the session; a row for each person. */
export const claimsSchema = `
  create function public.who() returns json language sql stable as $$
    select json_build_object('uid', auth.uid(), 'user', current_user, 'role', auth.role(), 'team', auth.jwt() ->> 'team',
      'caller', current_setting('request.headers')::json ->> 'x-caller', 'cookie', current_setting('request.cookies')::json ->> 'caller',
      'method', current_setting('request.method'), 'zone', current_setting('TimeZone'))$$;
  create function public.who_writing() returns json language sql volatile as $$select public.who()$$;
  create function public.who_slowly(seconds float8) returns json language sql stable as $$
    select public.who() from pg_sleep(seconds)$$;
  create function public.leave(name text, value text) returns json language plpgsql as $$
    declare me json := public.who();
    begin
      perform set_config(name, value, false);
      return me;
    end$$;
  create function public.leave_and_fail(name text, value text) returns json language plpgsql as $$
    begin
      perform set_config(name, value, false);
      raise exception 'as wanted';
    end$$;
  create table public.notes (owner uuid primary key, text text);
  alter table public.notes enable row level security;
  create policy own on public.notes using (owner = auth.uid());
  grant select, update on public.notes to anon, authenticated;`

/** A careless function that remembers the first caller of a session. */
export const carelessWho = `
  alter function public.who() rename to who_really;
  create function public.who() returns json language plpgsql stable as $$
    declare me json := public.who_really();
    begin
      if coalesce(current_setting('app.me', true), '') = '' then perform set_config('app.me', me ->> 'uid', false); end if;
      return jsonb_set(me::jsonb, '{uid}', coalesce(to_jsonb(nullif(current_setting('app.me', true), '')), 'null'))::json;
    end$$;`
