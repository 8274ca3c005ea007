do $$
begin
  raise warning 'extension "pg_graphql" is empty: the embedded PostgreSQL does not have it' using hint =
    'graphql.resolve() and graphql_public.graphql() do not exist; SQL that calls them fails.';
end
$$;
