import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyConventions } from './apply-conventions.ts'
import { startThrowAwayCluster } from './throw-away-cluster.ts'
import type { ThrowAwayCluster } from './throw-away-cluster.ts'

type Claims = { role: string; sub?: string; email?: string }

let cluster: ThrowAwayCluster
/** A database with the conventions, as superuser and as the role that runs users' migrations. */
let admin: Client
let project: Client

beforeAll(async () => {
  cluster = await startThrowAwayCluster()
  admin = await createDatabase('project')
  await applyConventions(admin)
  project = await cluster.connect('project', 'postgres')
})

afterAll(() => cluster?.stop())

async function createDatabase(name: string): Promise<Client> {
  const root = await cluster.connect('postgres')
  await root.query(`create database ${name}`)
  return cluster.connect(name)
}

/** Runs statements as the API does: one transaction, the caller's role and claims in it. Undoes what they did. */
async function asCaller<Row>(claims: Claims, ...statements: string[]): Promise<Row[]> {
  await admin.query('begin')
  try {
    await admin.query("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [
      claims.role,
      JSON.stringify(claims),
    ])
    let rows: Row[] = []
    for (const statement of statements) rows = (await admin.query(statement)).rows
    return rows
  } finally {
    await admin.query('rollback')
  }
}

const ann = '11111111-1111-4111-8111-111111111111'
const bob = '22222222-2222-4222-8222-222222222222'

test('the schemas that dumps put extensions into are there', async () => {
  const wanted = ['extensions', 'graphql', 'graphql_public', 'pgsodium', 'vault']
  const { rows } = await admin.query('select nspname from pg_namespace where nspname = any ($1) order by 1', [wanted])
  expect(rows.map(({ nspname }) => nspname)).toEqual(wanted)
})

describe('roles', () => {
  test('have just the attributes they need', async () => {
    const { rows } = await admin.query(`
      select rolname, concat_ws(' ',
        case when rolsuper then 'superuser' end, case when rolcanlogin then 'login' end,
        case when rolinherit then 'inherit' end, case when rolbypassrls then 'bypassrls' end,
        case when rolcreaterole then 'createrole' end) as attributes
      from pg_roles
      where rolname in ('anon', 'authenticated', 'service_role', 'authenticator', 'postgres')
      order by rolname`)
    expect(rows).toEqual([
      { rolname: 'anon', attributes: '' },
      { rolname: 'authenticated', attributes: '' },
      { rolname: 'authenticator', attributes: 'login' },
      { rolname: 'postgres', attributes: 'login inherit bypassrls createrole' },
      { rolname: 'service_role', attributes: 'bypassrls' },
    ])
  })

  test('the authenticator becomes the three API roles and no other', async () => {
    const { rows } = await admin.query(`
      select rolname from pg_roles
      where pg_has_role('authenticator', oid, 'member') and rolname <> 'authenticator' order by rolname`)
    expect(rows.map((row) => row.rolname)).toEqual(['anon', 'authenticated', 'service_role'])
    const authenticator = await cluster.connect('project', 'authenticator')
    await expect(authenticator.query('set role postgres')).rejects.toMatchObject({ code: '42501' })
  })

  test('postgres sets the options of the data API on the authenticator', async () => {
    await project.query("alter role authenticator set pgrst.db_max_rows = '10'")
    const { rows } = await admin.query("select rolconfig from pg_roles where rolname = 'authenticator'")
    expect(rows[0]?.rolconfig).toContain('pgrst.db_max_rows=10')
    await project.query('alter role authenticator reset pgrst.db_max_rows')
  })

  test.each(['anon', 'authenticated', 'service_role'])('%s reads no table of schema auth', async (role) => {
    await expect(asCaller({ role }, 'select id from auth.users')).rejects.toMatchObject({ code: '42501' })
  })

  test('no table of schema auth, storage or realtime is without row security', async () => {
    const { rows } = await admin.query(`
      select oid::regclass::text as name from pg_class
      where relnamespace in ('auth'::regnamespace, 'storage'::regnamespace, 'realtime'::regnamespace)
        and relkind in ('r', 'p') and not relrowsecurity`)
    expect(rows).toEqual([])
  })
})

describe('claims', () => {
  const functions = 'select auth.uid() as uid, auth.role() as role, auth.email() as email, auth.jwt() as jwt'

  test('come from the JSON of the request', async () => {
    const claims = { role: 'authenticated', sub: ann, email: 'ann@example.com' }
    expect(await asCaller(claims, functions)).toEqual([
      { uid: ann, role: 'authenticated', email: 'ann@example.com', jwt: claims },
    ])
  })

  test('come from one parameter a claim when those are set', async () => {
    const legacy = `set local "request.jwt.claim.sub" = '${bob}'`
    expect(await asCaller({ role: 'anon', sub: ann }, legacy, 'select auth.uid() as uid')).toEqual([{ uid: bob }])
  })

  test.each(["''", 'default'])('are null when the parameter is %s', async (value) => {
    await admin.query(`set "request.jwt.claims" = ${value}`)
    const { rows } = await admin.query(functions)
    expect(rows).toEqual([{ uid: null, role: null, email: null, jwt: null }])
  })

  test('are inlined into a policy: no function call a row, and an index is used', async () => {
    const { rows } = await admin.query('explain (verbose) select id from auth.users where id = auth.uid()')
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).not.toContain('uid()')
    expect(plan).toMatch(/Index (Only )?Scan/)
  })
})

describe("a user's migration, run as postgres", () => {
  beforeAll(async () => {
    await project.query(`
      create extension if not exists "uuid-ossp" with schema extensions;
      create extension if not exists pgcrypto with schema extensions;
      create extension if not exists citext with schema extensions;
      comment on schema public is 'our tables';

      create table public.profiles (
        id uuid primary key references auth.users (id) on delete cascade, nickname citext
      );
      alter table public.profiles enable row level security;
      create policy "people see themselves" on public.profiles for select using ((select auth.uid()) = id);

      create function public.welcome() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        insert into public.profiles (id, nickname) values (new.id, new.raw_user_meta_data ->> 'nickname');
        return new;
      end $$;
      drop trigger if exists welcome on auth.users;
      create trigger welcome after insert on auth.users for each row execute function public.welcome();
      drop trigger if exists welcome on auth.users;
      create trigger welcome after insert on auth.users for each row execute function public.welcome();

      insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
        raw_app_meta_data, raw_user_meta_data, confirmation_token, recovery_token)
      values
        (uuid_nil(), '${ann}', 'authenticated', 'authenticated', 'ann@example.com',
          crypt('correct horse', gen_salt('bf', 4)), now(), '{"provider":"email"}', '{"nickname":"Ann"}', '', ''),
        (uuid_nil(), '${bob}', 'authenticated', 'authenticated', 'bob@example.com',
          crypt('battery staple', gen_salt('bf', 4)), now(), '{"provider":"email"}', '{"nickname":"Bob"}', '', '');

      insert into storage.buckets (id, name) values ('albums', 'albums') on conflict (id) do nothing;
      create policy "own folder" on storage.objects for all to authenticated
        using (bucket_id = 'albums' and (storage.foldername(name))[1] = (select auth.uid())::text);

      create table public.seats (id bigint generated always as identity primary key, taken boolean);
      alter publication supabase_realtime add table public.seats;
      create policy "hear trips" on realtime.messages for select to authenticated
        using ((select realtime.topic()) like 'trip:%');
      create function public.announce() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        perform realtime.broadcast_changes('trip:1', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
        return null;
      end $$;
      create trigger announce after insert or update or delete on public.seats
        for each row execute function public.announce();
    `)
  })

  test('a trigger on auth.users writes the profile, and a seeded password can be checked', async () => {
    const { rows } = await project.query(`
      select profiles.nickname, encrypted_password = crypt('correct horse', encrypted_password) as matches,
        confirmed_at is not null as confirmed
      from auth.users join public.profiles using (id) where id = '${ann}'`)
    expect(rows).toEqual([{ nickname: 'Ann', matches: true, confirmed: true }])
  })

  test('people see their own row, strangers none, the service all', async () => {
    const list = 'select nickname from public.profiles order by nickname'
    expect(await asCaller({ role: 'authenticated', sub: ann }, list)).toEqual([{ nickname: 'Ann' }])
    expect(await asCaller({ role: 'anon' }, list)).toEqual([])
    expect(await asCaller({ role: 'service_role' }, list)).toEqual([{ nickname: 'Ann' }, { nickname: 'Bob' }])
  })

  test('a policy on storage.objects decides who writes where', async () => {
    const upload = (owner: string) =>
      `insert into storage.objects (bucket_id, name) values ('albums', '${owner}/a.png')`
    await asCaller({ role: 'authenticated', sub: ann }, upload(ann))
    await expect(asCaller({ role: 'authenticated', sub: ann }, upload(bob))).rejects.toMatchObject({ code: '42501' })
    await expect(asCaller({ role: 'anon' }, upload(ann))).rejects.toMatchObject({ code: '42501' })
  })

  test('rows of files are not deleted by SQL unless the service says so', async () => {
    await expect(project.query('delete from storage.objects')).rejects.toMatchObject({ code: '42501' })
    await asCaller(
      { role: 'service_role' },
      "set local storage.allow_delete_query = 'true'",
      'delete from storage.buckets',
    )
  })

  test('a change is broadcast with the row before and after', async () => {
    const [message] = await asCaller<{ payload: object }>(
      { role: 'service_role' },
      'insert into public.seats (taken) values (false)',
      'update public.seats set taken = true',
      "select payload from realtime.messages where event = 'UPDATE'",
    )
    expect(message?.payload).toMatchObject({
      operation: 'UPDATE',
      schema: 'public',
      table: 'seats',
      record: { taken: true },
      old_record: { taken: false },
      id: expect.any(String),
    })
  })

  test('who may not hear a topic reads none of its messages', async () => {
    const send = `select realtime.send('{"text":"hi"}', 'said', 'trip:1')`
    const listen = (topic: string) => [
      'set local role authenticated',
      `set local realtime.topic = '${topic}'`,
      'select event from realtime.messages',
    ]
    const service = { role: 'service_role', sub: ann }
    expect(await asCaller(service, send, ...listen('trip:1'))).toEqual([{ event: 'said' }])
    expect(await asCaller(service, send, ...listen('other'))).toEqual([])
  })

  test('a message that cannot be sent warns and leaves the change alone', async () => {
    const warnings: string[] = []
    admin.on('notice', (notice) => warnings.push(`${notice.severity}: ${notice.message}`))
    const rows = await asCaller(
      { role: 'authenticated', sub: ann },
      `select realtime.send('{}', 'said', 'trip:1'), realtime.send_binary('\\x00', 'said', null)`,
      'select 1 as alive',
    )
    expect(rows).toEqual([{ alive: 1 }])
    expect(warnings).toEqual([
      expect.stringContaining(
        'WARNING: message "said" to topic "trip:1" was not sent: new row violates row-level security',
      ),
      expect.stringContaining('WARNING: message "said" to topic "<NULL>" was not sent'),
    ])
  })

  test('an extension that is not on this server is refused in Postgres’ own words', async () => {
    await expect(project.query('create extension pg_cron')).rejects.toMatchObject({
      message: 'extension "pg_cron" is not available',
    })
  })
})

describe('new tables in public', () => {
  const reach = async (client: Client, table: string) =>
    (await client.query(`select has_table_privilege('anon', '${table}', 'select') as reach`)).rows[0]?.reach

  test('are reachable by default, and not when the parameter is off', async () => {
    const closed = await createDatabase('closed')
    await closed.query('set pando.auto_expose_new_tables = off')
    await applyConventions(closed)
    const migrations = await cluster.connect('closed', 'postgres')
    await migrations.query('create table public.hidden ()')
    await project.query('create table public.visible ()')
    expect(await reach(closed, 'public.hidden')).toBe(false)
    expect(await reach(project, 'public.visible')).toBe(true)
  })

  test('the switch can be turned later, by the admin alone', async () => {
    await admin.query('select pando.auto_expose_new_tables(false)')
    await project.query('create table public.closed_later ()')
    await admin.query('select pando.auto_expose_new_tables(true)')
    await project.query('create table public.open_again ()')
    expect(await reach(project, 'public.closed_later')).toBe(false)
    expect(await reach(project, 'public.open_again')).toBe(true)
    await expect(project.query('select pando.auto_expose_new_tables(true)')).rejects.toMatchObject({ code: '42501' })
  })
})

describe('a change of the schema is announced', () => {
  const announced = [
    'create table public.news (id int); comment on table public.news is $$x$$',
    'create policy p on public.news using (true)',
    'grant select on public.news to anon',
    'create extension tablefunc with schema extensions',
    'drop table public.news',
  ]
  const silent = ['create temp table scratch (id int); drop table scratch', 'select 1']

  test.each([...announced.map((sql) => [1, sql] as const), ...silent.map((sql) => [0, sql] as const)])(
    '%i time: %s',
    async (times, sql) => {
      const listener = await cluster.connect('project')
      const payloads: (string | undefined)[] = []
      listener.on('notification', (notice) => payloads.push(notice.payload))
      await listener.query('listen pgrst')
      await project.query(sql)
      // Notices are delivered in order of commit: when this one is here, all before it are.
      const last = new Promise<void>((resolve) => {
        listener.on('notification', (notice) => notice.payload === 'last' && resolve())
      })
      await project.query("notify pgrst, 'last'")
      await last
      expect(payloads).toEqual([...Array<string>(times).fill('reload schema'), 'last'])
    },
  )
})

describe('partitions of realtime.messages', () => {
  const days = async () =>
    (
      await admin.query(
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'realtime.messages'::regclass",
      )
    ).rows

  test('reach from yesterday to in three days, and old ones go', async () => {
    expect(await days()).toHaveLength(5)
    await admin.query(`create table realtime.messages_2001_02_03 partition of realtime.messages
      for values from ('2001-02-03') to ('2001-02-04')`)
    await admin.query('select realtime.maintain_message_partitions()')
    expect(await days()).toHaveLength(5)
    await admin.query('select realtime.maintain_message_partitions(days_ahead => 6)')
    expect(await days()).toHaveLength(8)
  })
})
