-- Dumped migrations say `create extension … with schema …`, and then the schema must be there. The embedded server has
-- extensions whose version is `empty` (libs/postgres/extensions); on every other server this makes nothing.
set local search_path = '';

do $$
declare
  wanted name;
begin
  for wanted in
    select schema from pg_catalog.pg_available_extension_versions where version = 'empty'
  loop
    execute pg_catalog.format('create schema if not exists %I authorization postgres', wanted);
  end loop;
end
$$;
