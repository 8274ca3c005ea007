-- Whose changes phones may follow: starts empty, `alter publication supabase_realtime add table …` is part of users'
-- migrations, so `postgres` owns it.
set local search_path = '';

do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end
$$;
