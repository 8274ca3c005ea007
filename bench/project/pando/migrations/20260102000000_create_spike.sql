-- What a spike asks for: `pause` seconds asleep on a connection, `toil` rows worked through, and a row under its policies.
create function public.look(key integer, pause double precision, toil integer) returns setof public.items
  language plpgsql
  stable
as $$
begin
  perform pg_sleep(pause);
  perform sum(sqrt(n)) from generate_series(1, toil) as n;
  return query select * from public.items where id = key;
end
$$;

create function public.note(device integer, pause double precision, toil integer) returns setof public.readings
  language plpgsql
as $$
begin
  perform pg_sleep(pause);
  perform sum(sqrt(n)) from generate_series(1, toil) as n;
  return query insert into public.readings (device, value) values (note.device, 0.5) returning *;
end
$$;

-- The same as far as the work goes; the project says that it is as important as a payment.
create function public.pay(device integer, pause double precision, toil integer) returns setof public.readings
  language sql
as $$ select * from public.note(device, pause, toil) $$;
