/** Something of every kind that a garbled request may touch: types, keys, views, functions of each way to be called. */
export const garbageSchema = `
  create type public.mood as enum ('glad', 'sad');
  create table public.clubs (id int primary key, name text, opened date);
  create table public.members (
    id int primary key,
    club_id int references public.clubs,
    name text,
    mood public.mood default 'glad',
    tags text[] default '{}',
    about jsonb default '{}',
    raw json,
    stay int4range,
    words tsvector,
    score numeric,
    big int8,
    since timestamptz default now(),
    code uuid,
    picture bytea,
    place point
  );
  create table public.games (id int primary key, name text);
  create table public.events (member_id int references public.members, game_id int references public.games, primary key (member_id, game_id));
  create view public.glad_members as select id, club_id, name, about from public.members where mood = 'glad';
  create function public.full_name(public.members) returns text language sql stable as $$select $1.name || '!'$$;
  create function public.add(a int, b int default 2) returns int language sql immutable as $$select a + b$$;
  create function public.add(a text) returns text language sql immutable as $$select a$$;
  create function public.echo(json) returns json language sql immutable as $$select $1$$;
  create function public.echo_text(text) returns text language sql immutable as $$select $1$$;
  create function public.echo_bytes(bytea) returns bytea language sql immutable as $$select $1$$;
  create function public.count_words(variadic words text[]) returns int language sql immutable as $$select cardinality(words)$$;
  create function public.list_members(lowest int default 0) returns setof public.members language sql stable as $$select * from public.members where id >= lowest$$;
  create function public.pairs() returns table (one int, two text) language sql stable as $$values (1, 'a'), (2, 'b')$$;
  create function public.nothing() returns void language sql volatile as $$select$$;
  create function public.shape(m public.mood, r int4range, t text[], j jsonb, u uuid, d timestamptz) returns text language sql stable as $$select 'ok'$$;
  insert into public.clubs select n, 'club ' || n, '2020-01-01' from generate_series(1, 5) as n;
  insert into public.members (id, club_id, name, tags, about, stay, words, score)
    select n, 1 + n % 5, 'member ' || n, array['a', 'b'], '{"a": {"b": [1, "x"]}}', '[1,5)', 'fat & rat', 1.5 from generate_series(1, 12) as n;
  insert into public.games select n, 'game ' || n from generate_series(1, 5) as n;
  insert into public.events select n, 1 + n % 5 from generate_series(1, 12) as n;
  grant all on all tables in schema public to anon, authenticated, service_role;`
