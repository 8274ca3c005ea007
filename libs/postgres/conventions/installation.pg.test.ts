import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyConventions } from './apply-conventions.ts'
import { startThrowAwayCluster } from './throw-away-cluster.ts'
import type { ThrowAwayCluster } from './throw-away-cluster.ts'

let cluster: ThrowAwayCluster

beforeAll(async () => {
  cluster = await startThrowAwayCluster()
})

afterAll(() => cluster?.stop())

async function createDatabase(name: string): Promise<Client> {
  const root = await cluster.connect('postgres')
  await root.query(`create database ${name}`)
  return cluster.connect(name)
}

describe('installing', () => {
  test('a second run changes nothing and fails nowhere', async () => {
    const database = await createDatabase('twice')
    await applyConventions(database)
    const before = await snapshot(database)
    await applyConventions(database)
    expect(await snapshot(database)).toEqual(before)
  })

  test('several databases of one cluster can be set up at the same time', async () => {
    const names = ['parallel_a', 'parallel_b', 'parallel_c']
    const databases = await Promise.all(names.map((name) => createDatabase(name)))
    await Promise.all(databases.map(applyConventions))
    for (const database of databases) {
      expect((await database.query("select to_regclass('auth.users') is not null as there")).rows).toEqual([
        { there: true },
      ])
    }
  })

  test('what an admin changed on a role survives the next database', async () => {
    const database = await createDatabase('earlier')
    await applyConventions(database)
    await database.query("alter role authenticated set statement_timeout = '11s'")
    await applyConventions(await createDatabase('later'))
    const { rows } = await database.query("select rolconfig from pg_roles where rolname = 'authenticated'")
    expect(rows).toEqual([{ rolconfig: ['statement_timeout=11s'] }])
  })

  test('tables that another server created are kept and handed over', async () => {
    const database = await createDatabase('moved')
    await database.query(`
      create schema storage;
      create table storage.buckets (
        id text primary key, name text not null, owner uuid, created_at timestamptz default now(),
        updated_at timestamptz default now(), public boolean default false, avif_autodetection boolean default false,
        file_size_limit bigint, allowed_mime_types text[], owner_id text
      );
      insert into storage.buckets (id, name) values ('old', 'old');
    `)
    await applyConventions(database)
    const { rows } = await database.query(
      "select id, (select tableowner from pg_tables where tablename = 'buckets') as owner from storage.buckets",
    )
    expect(rows).toEqual([{ id: 'old', owner: 'supabase_storage_admin' }])
  })

  test('an admin who is not superuser can install them, and is told what is missing', async () => {
    const other = await startThrowAwayCluster()
    try {
      const root = await other.connect('postgres')
      await root.query('create role acme login createrole createdb')
      await root.query('create database app owner acme')
      const acme = await other.connect('app', 'acme')
      const notices: string[] = []
      acme.on('notice', (notice) => notices.push(notice.message ?? ''))
      await applyConventions(acme)
      expect(notices).toContain('role "service_role" stays without bypassrls: "acme" may not grant it')
      expect(notices).toContain('schema changes are not announced: only a superuser can create event triggers')
      await acme.query('set role postgres')
      await acme.query('create table public.notes (id uuid references auth.users (id))')
      await acme.query('alter publication supabase_realtime add table public.notes')
    } finally {
      await other.stop()
    }
  })

  test('a role that may not create roles is refused with what to do', async () => {
    const root = await cluster.connect('postgres')
    await root.query('create role weak login')
    const weak = await cluster.connect('postgres', 'weak')
    await expect(applyConventions(weak)).rejects.toMatchObject({
      cause: { code: '42501', hint: expect.stringContaining('alter role weak createrole') },
    })
  })
})

/** Everything a second run could change: relations, functions and their grants, policies, settings, memberships. */
async function snapshot(database: Client): Promise<unknown[]> {
  const { rows } = await database.query(`
    select 'relation' as kind, oid::regclass::text as name, relowner::regrole::text as owner, (select array_agg(acl::text order by acl::text) from unnest(relacl) as acl)::text as detail
    from pg_class where relnamespace::regnamespace::text in ('auth', 'storage', 'realtime', 'extensions', 'pando')
    union all
    select 'function', oid::regprocedure::text, proowner::regrole::text, concat((select array_agg(acl::text order by acl::text) from unnest(proacl) as acl), prosrc)
    from pg_proc where pronamespace::regnamespace::text in ('auth', 'storage', 'realtime', 'extensions', 'pando')
    union all
    select 'schema', nspname, nspowner::regrole::text, (select array_agg(acl::text order by acl::text) from unnest(nspacl) as acl)::text from pg_namespace where nspname !~ '^pg_'
    union all
    select 'default', defaclrole::regrole::text, defaclnamespace::regnamespace::text || defaclobjtype::text, defaclacl::text
    from pg_default_acl
    union all
    select 'member', roleid::regrole::text, member::regrole::text, admin_option::text from pg_auth_members
    union all
    select 'role', rolname, rolconfig::text, concat(rolinherit, rolcanlogin, rolbypassrls, rolcreaterole) from pg_roles
    order by 1, 2, 3, 4`)
  return rows
}
