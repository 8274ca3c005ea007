import { demoKeys, type ProjectKeys } from '@pando/http/auth/api-keys'
import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { loginUrl } from '@pando/postgres/login'
import { prepareDatabase } from '@pando/postgres/testing/cluster'
import { startReplicatedCluster, type ReplicatedCluster } from '@pando/postgres/testing/replicated-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { toPostgresAddresses } from './database-options.ts'
import { createFactories } from './factories.ts'
import { type RunningServer, startServer } from './start-server.ts'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { ask, type Asked } from './testing/start-api.ts'

const sql = `
  create table public.notes (id int primary key, who uuid default auth.uid(), text text);
  create table public.profiles (id uuid primary key, mail text);
  grant all on public.notes, public.profiles to anon, authenticated, service_role;
  create function public.add_profile() returns trigger language plpgsql security definer as
    $$begin insert into public.profiles values (new.id, new.email); return new; end$$;
  create trigger add_profile after insert on auth.users for each row execute function public.add_profile();
  create function public.change_profile() returns trigger language plpgsql security definer as
    $$begin update public.profiles set mail = new.email where id = new.id; return new; end$$;
  create trigger change_profile after update on auth.users for each row execute function public.change_profile();
  alter publication supabase_realtime add table public.notes;
  create function public.which() returns text language sql stable as
    $$select case when pg_is_in_recovery() then 'replica' else 'primary' end$$;`

const patiently = { timeout: 20_000, interval: 20 }

let cluster: ReplicatedCluster
let keys: ProjectKeys
let here: RunningServer
let there: RunningServer

beforeAll(async () => {
  keys = await demoKeys()
  cluster = await startReplicatedCluster({ replicas: 2, prepare: (url) => prepareDatabase(url, 'open'), sql })
  here = await startNode()
  there = await startNode()
})
afterAll(async () => {
  await Promise.all([here?.stop(), there?.stop()])
  await cluster?.remove()
})

function startNode(environment: Record<string, string> = {}): Promise<RunningServer> {
  const names = cluster.replicas.map(({ name }) => name).join(',')
  const config = readServerConfig({
    environment: {
      DATABASE_URL: loginUrl(cluster.primary.url, { role: 'postgres', password: 'open' }),
      PANDO_DATABASE_HOSTS: names,
      PANDO_DATABASE_REPLICA_HOSTS: `${names},${cluster.primary.name}`,
      PANDO_DATABASE_WATCH_INTERVAL: '20ms',
      PANDO_JWT_SECRET: keys.jwtSecret,
      PANDO_SERVER_PORT: '0',
      PANDO_SERVER_SERVICES: 'rest,auth,realtime,mailbox',
      PANDO_LOG_LEVEL: 'silent',
      PANDO_HTTP_REQUEST_TIMEOUT: '5s',
      PANDO_AUTH_PASSWORD_MEMORY: '8mb',
      PANDO_AUTH_PASSWORD_PASSES: '1',
      ...environment,
    },
  })
  return startServer(config, createFactories(toPostgresAddresses(config.database), { mailbox: true }))
}

/** Long enough ago that nobody takes the account for a new one. */
const tokenOf = (sub: string): Promise<string> => {
  const iat = Math.floor(Date.now() / 1_000) - 600
  return signJwt(
    { sub, role: 'authenticated', aud: 'authenticated', iat, exp: iat + 3_600 },
    hmacSigningKey(keys.jwtSecret),
  )
}

const as = async (sub: string, node: RunningServer, path: string, asked: Asked = {}) => {
  const headers = { apikey: keys.anonKey, authorization: `Bearer ${await tokenOf(sub)}`, ...asked.headers }
  return ask(`${node.url}/rest/v1/${path}`, { ...asked, headers })
}

const anna = '10000000-0000-4000-8000-000000000001'
const bert = '10000000-0000-4000-8000-000000000002'

let lastId = 0
const write = (sub: string, node = here) => as(sub, node, 'notes', { body: { id: ++lastId, text: 'new' } })
const serverOf = async (sub: string, node = here, headers: Record<string, string> = {}) =>
  (await as(sub, node, 'rpc/which', { headers })).body
const pause = (how: 'pause' | 'resume') =>
  Promise.all(cluster.replicas.map((replica) => replica.query(`select pg_wal_replay_${how}()`)))

const table = { schema: 'public', table: 'notes', event: 'INSERT' }

async function followNotes(node: RunningServer): Promise<Phoenix> {
  const phone = await openPhoenix(node.url, { apikey: keys.serviceRoleKey })
  expect(await phone.join('notes', { postgres_changes: [table] })).toMatchObject({ status: 'ok' })
  await phone.until(({ event, payload }) => event === 'system' && payload['status'] === 'ok')
  return phone
}

/** The notes that a phone was told of. */
const toldOf = ({ heard }: Phoenix): unknown[] =>
  heard.flatMap(({ event, payload }) =>
    event === 'postgres_changes' ? [(payload as { data: { record: { id: number } } }).data.record.id] : [],
  )

describe('a node with replicas', () => {
  test('asks them for reads, and for calls of functions that do not write', async () => {
    await expect.poll(() => serverOf(anna), patiently).toBe('replica')
    await expect.poll(async () => (await as(anna, here, 'rpc/which', { body: {} })).body, patiently).toBe('replica')
    expect(await as(anna, here, 'notes')).toMatchObject({ status: 200, body: [] })
  })

  test('shows nobody less than they wrote, and others what the replicas have', async () => {
    await pause('pause')
    expect((await write(anna)).headers.get('pando-commit')).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/)
    const own = await as(anna, here, `notes?id=eq.${lastId}`)
    expect(own.body).toMatchObject([{ id: lastId, who: anna }])
    expect(own.headers.get('pando-commit')).toBeNull()
    expect(await serverOf(bert)).toBe('replica')
    await pause('resume')
    await expect.poll(() => serverOf(anna), patiently).toBe('replica')
  })

  test('believes what an answer of another node left with the caller, at once', async () => {
    await pause('pause')
    const commit = (await write(anna)).headers.get('pando-commit')!
    expect(await serverOf(bert, there, { 'pando-commit': commit })).toBe('primary')
    expect(await serverOf(bert, there, { 'pando-commit': 'newest, please' })).toBe('primary')
    expect(await serverOf(bert, there)).toBe('replica')
    await pause('resume')
    await expect.poll(() => serverOf(bert, there, { 'pando-commit': commit }), patiently).toBe('replica')
  })

  test('hears from the other nodes who wrote what', async () => {
    await pause('pause')
    await write(anna)
    await expect.poll(() => serverOf(anna, there), patiently).toBe('primary')
    expect(await serverOf(bert, there)).toBe('replica')
    await pause('resume')
  })

  test('shows a new account its rows, which another service has written', async () => {
    await pause('pause')
    const signedUp = await ask(`${here.url}/auth/v1/signup`, {
      headers: { apikey: keys.anonKey },
      body: { email: 'new@example.com', password: 'correct horse battery' },
    })
    const { access_token: token } = signedUp.body as { access_token: string }
    const headers = { apikey: keys.anonKey, authorization: `Bearer ${token}` }
    const profiles = await ask(`${here.url}/rest/v1/profiles?select=mail`, { headers })
    expect(profiles.body).toEqual([{ mail: 'new@example.com' }])
    await pause('resume')
  })

  test('shows an account what another service has written about it, on every node', async () => {
    const administer = (path: string, asked: Asked) =>
      ask(`${here.url}/auth/v1/admin/users${path}`, {
        ...asked,
        headers: { apikey: keys.serviceRoleKey, authorization: `Bearer ${keys.serviceRoleKey}` },
      })
    const carl = { email: 'carl@example.com', password: 'correct horse battery', email_confirm: true }
    const { id } = (await administer('', { body: carl })).body as { id: string }
    await expect.poll(() => serverOf(id, there), patiently).toBe('replica')
    await pause('pause')
    const changed = await administer(`/${id}`, {
      method: 'PUT',
      body: { email: 'karl@example.com', email_confirm: true },
    })
    expect([changed.status, changed.headers.get('pando-commit')]).toEqual([200, expect.stringMatching(/^[0-9A-F]+\//)])
    expect((await as(id, here, `profiles?id=eq.${id}&select=mail`)).body).toEqual([{ mail: 'karl@example.com' }])
    await expect.poll(() => serverOf(id, there), patiently).toBe('primary')
    expect((await as(id, there, `profiles?id=eq.${id}&select=mail`)).body).toEqual([{ mail: 'karl@example.com' }])
    expect(await serverOf(bert, there)).toBe('replica')
    await pause('resume')
    await expect.poll(() => serverOf(id, there), patiently).toBe('replica')
  })

  test('answers from no replica that has not got the schema it answers for', async () => {
    await pause('pause')
    await cluster.primary.query(`
      alter table public.notes add column colour text default 'red'; grant all on public.notes to authenticated;
      notify pgrst`)
    await expect.poll(() => serverOf(bert), patiently).toBe('primary')
    expect((await as(bert, here, 'notes?select=colour&limit=1')).status).toBe(200)
    await pause('resume')
    await expect.poll(() => serverOf(bert), patiently).toBe('replica')
  })
})

test('a failover heals by itself: reads go on, writes are refused with 503 until there is a primary', async () => {
  const [first, second] = cluster.replicas
  const phones = await Promise.all([here, there].map(followNotes))
  await write(bert)
  for (const phone of phones) await expect.poll(() => toldOf(phone), patiently).toContain(lastId)
  await cluster.primary.kill()
  const refused = await write(anna)
  expect(refused).toMatchObject({ status: 503 })
  expect(refused.headers.get('retry-after')).not.toBeNull()
  for (let i = 0; i < 10; i++) expect(await serverOf(bert)).toBe('replica')
  await second!.follow(first!)
  await first!.promote()
  await expect.poll(async () => (await write(anna)).status, patiently).toBe(201)
  expect((await as(anna, here, `notes?id=eq.${lastId}`)).body).toMatchObject([{ id: lastId }])
  await expect.poll(() => serverOf(anna), patiently).toBe('replica')
  const signedIn = async () => {
    const url = `${here.url}/auth/v1/token?grant_type=password`
    const body = { email: 'new@example.com', password: 'correct horse battery' }
    return (await ask(url, { headers: { apikey: keys.anonKey }, body })).status
  }
  await expect.poll(signedIn, patiently).toBe(200)
  // Both nodes hear of changes again, from the one that reads them on the new primary.
  const isTold = async (): Promise<boolean> => {
    await write(bert)
    const id = lastId
    await expect.poll(() => phones.every((phone) => toldOf(phone).includes(id)), { timeout: 2000 }).toBe(true)
    return true
  }
  await expect.poll(() => isTold().catch(() => false), { timeout: 40_000 }).toBe(true)
  for (const phone of phones) phone.close()
})

test('a node without replicas says nothing of commits', async () => {
  const [first] = cluster.replicas
  const url = loginUrl(first!.url, { role: 'postgres', password: 'open' })
  const node = await startNode({ DATABASE_URL: url, PANDO_DATABASE_HOSTS: '', PANDO_DATABASE_REPLICA_HOSTS: '' })
  const written = await write(anna, node)
  expect(written.status).toBe(201)
  expect(written.headers.get('pando-commit')).toBeNull()
  await node.stop()
})
