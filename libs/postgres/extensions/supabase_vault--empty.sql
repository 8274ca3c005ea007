do $$
begin
  raise warning 'extension "supabase_vault" is empty: the embedded PostgreSQL does not have it' using hint =
    'vault.secrets, vault.decrypted_secrets and vault.create_secret() do not exist; SQL that uses them fails.';
end
$$;
