import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, startApi } from './testing/start-api.ts'

// What stands in seeds and migrations of existing projects, in its usual forms.
const sql = `
  create table public.profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    full_name text,
    email text
  );
  alter table public.profiles enable row level security;
  create policy "own" on public.profiles to authenticated using ((select auth.uid()) = id);

  create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
  begin
    insert into public.profiles (id, full_name, email) values (new.id, new.raw_user_meta_data ->> 'full_name', new.email);
    return new;
  end $$;
  create trigger on_auth_user_created after insert on auth.users
    for each row execute procedure public.handle_new_user();

  create function public.refuse_disposable() returns trigger language plpgsql as $$
  begin
    if new.email like '%@disposable.example' then raise exception 'no disposable addresses'; end if;
    return new;
  end $$;
  create trigger refuse_disposable before insert on auth.users
    for each row execute procedure public.refuse_disposable();

  create view public.members with (security_invoker = off) as select id, email, last_sign_in_at from auth.users;
  grant select on public.members to authenticated;

  -- The long form, with every token column, as dashboards and guides have it.
  insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, recovery_sent_at,
    last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, email_change,
    email_change_token_new, recovery_token)
  select '00000000-0000-0000-0000-000000000000', uuid_generate_v4(), 'authenticated', 'authenticated',
    'user' || n || '@example.com', crypt('password123', gen_salt('bf')), current_timestamp, current_timestamp,
    current_timestamp, '{"provider":"email","providers":["email"]}', ('{"full_name":"Number ' || n || '"}')::jsonb,
    current_timestamp, current_timestamp, '', '', '', ''
  from generate_series(1, 3) as n;
  insert into auth.identities (id, user_id, identity_data, provider, provider_id, last_sign_in_at, created_at, updated_at)
  select uuid_generate_v4(), id, format('{"sub":"%s","email":"%s"}', id::text, email)::jsonb, 'email', id::text,
    current_timestamp, current_timestamp, current_timestamp
  from auth.users;

  -- The short form: no instance, no metadata, tokens null, no identity, no dates.
  insert into auth.users (id, email, encrypted_password, email_confirmed_at)
  values ('99999999-9999-4999-8999-999999999999', 'bare@example.com', crypt('password123', gen_salt('bf', 4)), now());

  -- Written as it was typed.
  insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at)
  values ('00000000-0000-0000-0000-000000000000', '88888888-8888-4888-8888-888888888888', 'authenticated',
    'authenticated', 'Mixed.Case@Example.com', crypt('password123', gen_salt('bf', 4)), now());

  insert into auth.users (id, email, encrypted_password)
  values ('77777777-7777-4777-8777-777777777777', 'unconfirmed@example.com', crypt('password123', gen_salt('bf', 4)));
`

let api: Api
beforeAll(async () => {
  api = await startApi({ sql })
})
afterAll(() => api?.stop())

const password = 'password123'
const count = async (from: string, id: string): Promise<number> => {
  const column = from === 'auth.users' || from === 'public.profiles' ? 'id' : 'user_id'
  const text = `select count(*)::int as count from ${from} where ${column} = $1`
  return (await api.database.query<{ count: number }>(text, [id]))[0]!.count
}

describe('people whom SQL put into auth.users', () => {
  test('sign in with the password of their seed, and policies know them', async () => {
    const client = api.client()
    const { data, error } = await client.auth.signInWithPassword({ email: 'user2@example.com', password })
    expect(error).toBeNull()
    expect(data.user).toMatchObject({
      user_metadata: { full_name: 'Number 2' },
      identities: [{ provider: 'email', identity_data: { email: 'user2@example.com' } }],
    })
    const profiles = await client.from('profiles').select('full_name,email')
    expect(profiles.data).toEqual([{ full_name: 'Number 2', email: 'user2@example.com' }])
    expect((await client.auth.refreshSession()).error).toBeNull()
  })

  test('also when only id, address and password were given', async () => {
    const client = api.client()
    const { data, error } = await client.auth.signInWithPassword({ email: 'bare@example.com', password })
    expect(error).toBeNull()
    expect(data.user).toMatchObject({ app_metadata: {}, user_metadata: {}, identities: [] })
    expect((await client.from('profiles').select('id')).data).toHaveLength(1)
    const updated = await client.auth.updateUser({ data: { colour: 'red' }, password: 'another password' })
    expect(updated.data.user?.user_metadata).toMatchObject({ colour: 'red' })
    expect(
      (await client.auth.signInWithPassword({ email: 'bare@example.com', password: 'another password' })).error,
    ).toBeNull()
  })

  test('also when the address has capitals; nobody else gets it', async () => {
    const client = api.client()
    const { data, error } = await client.auth.signInWithPassword({ email: 'mixed.case@example.com', password })
    expect(error).toBeNull()
    expect(data.user?.id).toBe('88888888-8888-4888-8888-888888888888')
    const second = await client.auth.signUp({ email: 'MIXED.case@example.com', password: 'my own password' })
    expect(second.error).toMatchObject({ code: 'user_already_exists' })
  })

  test('not before their address is confirmed', async () => {
    const { error } = await api.client().auth.signInWithPassword({ email: 'unconfirmed@example.com', password })
    expect(error).toMatchObject({ code: 'email_not_confirmed' })
  })

  test('are listed and changed by admins as others are', async () => {
    const { admin } = api.client(api.keys.serviceRoleKey).auth
    const { data } = await admin.listUsers({ perPage: 1000 })
    expect(data.users.map(({ email }) => email)).toContain('bare@example.com')
    const changed = await admin.updateUserById('77777777-7777-4777-8777-777777777777', { email_confirm: true })
    expect(changed.error).toBeNull()
    const { error } = await api.client().auth.signInWithPassword({ email: 'unconfirmed@example.com', password })
    expect(error).toBeNull()
  })
})

describe("the project's own objects on auth.users", () => {
  test('a trigger makes the profile in the transaction of the sign-up', async () => {
    const client = api.client()
    const { data } = await client.auth.signUp({
      email: 'new@example.com',
      password,
      options: { data: { full_name: 'New Person' } },
    })
    const profiles = await client.from('profiles').select('id,full_name')
    expect(profiles.data).toEqual([{ id: data.user!.id, full_name: 'New Person' }])
  })

  test('a trigger that refuses leaves nothing behind', async () => {
    const { error } = await api.client().auth.signUp({ email: 'x@disposable.example', password })
    expect(error).toMatchObject({ status: 500, message: 'Database error saving new user' })
    const rows = await api.database.query(`select from auth.users where email = 'x@disposable.example'`)
    expect(rows).toEqual([])
  })

  test('a view over it shows what it says', async () => {
    const client = api.client()
    await client.auth.signInWithPassword({ email: 'user1@example.com', password })
    const { data } = await client.from('members').select('email').eq('email', 'user1@example.com')
    expect(data).toEqual([{ email: 'user1@example.com' }])
  })

  test.each(['the admin API', 'SQL'])('deleting a user by %s takes all that hangs on the account', async (way) => {
    const client = api.client()
    const { data } = await client.auth.signUp({ email: `gone.${way.length}@example.com`, password })
    const { id } = data.user!
    const tables = ['auth.users', 'auth.identities', 'auth.sessions', 'public.profiles']
    expect(await Promise.all(tables.map((table) => count(table, id)))).toEqual([1, 1, 1, 1])
    if (way === 'SQL') await api.database.query('delete from auth.users where id = $1', [id])
    else await api.client(api.keys.serviceRoleKey).auth.admin.deleteUser(id)
    expect(await Promise.all(tables.map((table) => count(table, id)))).toEqual([0, 0, 0, 0])
    expect((await client.auth.getUser()).error).toMatchObject({ code: 'user_not_found' })
    expect((await client.auth.refreshSession()).error).not.toBeNull()
  })
})
