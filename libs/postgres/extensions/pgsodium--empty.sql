do $$
begin
  raise warning 'extension "pgsodium" is empty: the embedded PostgreSQL does not have it' using hint =
    'No function, key or column encryption of it exists; SQL that uses pgsodium.… fails.';
end
$$;
