/**
 * The files of a new project. `config.toml` shows each setting that people change first, with the value it has anyway.
 */
export const configToml = `# Settings of this project. Every line shows the default; remove what you do not change.
# A value "env(NAME)" is taken from the environment or from .env, so that secrets stay out of this file.

[api]
# The API listens on 127.0.0.1 at this port (\`pando dev --port\` wins).
port = 54321
# Schemas that the data API shows; the first one is the default.
schemas = ["public", "graphql_public"]
# Added to the search path of every request.
extra_search_path = ["public", "extensions"]
# The most rows that one answer may hold.
max_rows = 1000
# When true, every new table of "public" is granted to anon, authenticated and service_role.
# When false, a migration grants what it means to show, as the first one here does.
auto_expose_new_tables = false

[db]
# Port of the embedded PostgreSQL on 127.0.0.1.
port = 54322

[db.seed]
# Loaded once into a new database and by \`pando migrate reset\`; globs are allowed.
enabled = true
sql_paths = ["./seed.sql"]

[types]
# The Database type for createClient<Database>() is written here by \`pando dev\` whenever the schema changes.
output = "../database.types.ts"

[auth]
# Where links in mails lead in the end; the app may ask for another address of additional_redirect_urls.
site_url = "http://127.0.0.1:3000"
additional_redirect_urls = []
# Life of an access token, seconds.
jwt_expiry = 3600
enable_signup = true
# Guests, who may make an account later.
enable_anonymous_sign_ins = false
minimum_password_length = 8

[auth.email]
# When true, a code or link in a mail confirms an address before its account can be used.
# \`pando dev\` sends no mails; they are at /mailbox.
enable_confirmations = false

# [auth.external.google]
# enabled = true
# client_id = "env(GOOGLE_CLIENT_ID)"
# secret = "env(GOOGLE_SECRET)"
`

export const firstMigration = `-- Notes: everybody reads the published ones, and each user writes their own.

create table public.notes (
  id bigint generated always as identity primary key,
  author_id uuid not null default auth.uid(),
  body text not null check (length(body) between 1 and 2000),
  published boolean not null default false,
  created_at timestamptz not null default now()
);

create index notes_author_id on public.notes (author_id);

-- Row security decides which rows a caller sees and changes. Without a policy there are none.
alter table public.notes enable row level security;

create policy "everybody reads published notes" on public.notes
  for select using (published);

create policy "authors read their notes" on public.notes
  for select to authenticated using (author_id = auth.uid());

create policy "authors write their notes" on public.notes
  for insert to authenticated with check (author_id = auth.uid());

create policy "authors change their notes" on public.notes
  for update to authenticated using (author_id = auth.uid()) with check (author_id = auth.uid());

create policy "authors delete their notes" on public.notes
  for delete to authenticated using (author_id = auth.uid());

-- Grants decide which roles may touch the table at all.
grant select on public.notes to anon;
grant select, insert, update, delete on public.notes to authenticated, service_role;
`

export const seedSql = `-- Loaded once into a new database, after the migrations.
insert into public.notes (author_id, body, published) values
  ('00000000-0000-0000-0000-000000000001', 'Hello from Pando', true),
  ('00000000-0000-0000-0000-000000000001', 'A draft that only its author sees', false);
`

/** Lines that a project's \`.gitignore\` needs. */
export const ignoredPaths = ['.pando/', '.env', '.env.local', '.env.*.local'] as const
