import { type EmbeddedPostgres, startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { prepareDatabase } from '@pando/postgres/testing/cluster'
import { isPoolerInstalled, startPooler, type TestPooler } from '@pando/postgres/testing/pooler'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { demoJwtSecret } from '@pando/http/auth/api-keys'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { toPostgresAddresses } from './database-options.ts'
import { createFactories } from './factories.ts'
import { type RunningServer, startServer } from './start-server.ts'
import { join as joinChannel } from './testing/realtime-client.ts'

/** The one that `startPooler` uses. */
const password = 'open'
const publishableKey = 'sb_publishable_of_these_tests'
const backendsMax = 4

/** A policy that only Postgres can answer. */
const sql = `
  create table public.clubs (person uuid primary key default auth.uid());
  create table public.notes (id int generated always as identity primary key, person uuid default auth.uid(), body text);
  alter table public.clubs enable row level security;
  alter table public.notes enable row level security;
  grant select, insert on public.clubs, public.notes to authenticated;
  create policy own on public.clubs to authenticated using (person = auth.uid()) with check (person = auth.uid());
  create policy own on public.notes to authenticated
    using (person = auth.uid() and exists (select from public.clubs c where c.person = auth.uid()))
    with check (person = auth.uid());
  alter publication supabase_realtime add table public.notes;`

describe.skipIf(!isPoolerInstalled)('a whole node whose requests go through pgbouncer in transaction mode', () => {
  let folder: string
  let postgres: EmbeddedPostgres
  let pooler: TestPooler
  let server: RunningServer
  const clients: SupabaseClient[] = []

  beforeAll(async () => {
    folder = await makeTemporaryFolder('pando-pooled-')
    postgres = await startEmbeddedPostgres({ dataFolder: join(folder, 'postgres'), port: 0, durable: false })
    await prepareDatabase(postgres.url, password)
    await runAsAdmin(sql)
    pooler = await startPooler({ serverPort: postgres.port!, backendsMax })
    const environment = {
      DATABASE_URL: postgres.url,
      PANDO_DATABASE_API_URL: pooler.url.replace('authenticator@', `authenticator:${password}@`),
      PANDO_DATABASE_POOLED: 'true',
      PANDO_JWT_SECRET: demoJwtSecret,
      PANDO_JWT_PUBLISHABLE_KEY: publishableKey,
      PANDO_JWT_ENDED_SESSIONS_INTERVAL: '100ms',
      PANDO_AUTH_PASSWORD_MEMORY: '8mb',
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
      PANDO_SERVER_PORT: '0',
      PANDO_LOG_LEVEL: 'silent',
    }
    const config = readServerConfig({ environment })
    server = await startServer(config, createFactories(toPostgresAddresses(config.database), { mailbox: true }))
  })
  afterAll(async () => {
    for (const client of clients) await client.removeAllChannels()
    await server?.stop()
    await pooler?.stop()
    await postgres?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function runAsAdmin(text: string): Promise<Record<string, unknown>[]> {
    const admin = new Client({ connectionString: postgres.url })
    await admin.connect()
    return admin.query(text).then(
      ({ rows }) => admin.end().then(() => rows),
      (error) => admin.end().then(() => Promise.reject(error)),
    )
  }

  async function signUp(): Promise<SupabaseClient> {
    const client = createClient(server.url, publishableKey, { auth: { persistSession: false } })
    clients.push(client)
    const email = `person${clients.length}@example.com`
    expect((await client.auth.signUp({ email, password: 'correct horse battery' })).error).toBeNull()
    expect((await client.from('clubs').insert({})).error).toBeNull()
    expect((await client.from('notes').insert({ body: email })).error).toBeNull()
    return client
  }

  test('people share few connections and see what is theirs', async () => {
    const people = [await signUp(), await signUp(), await signUp()]
    const own = await Promise.all(people.map((client) => client.auth.getUser().then(({ data }) => data.user!.email)))
    const seen = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const { data, error } = await people[index % 3]!.from('notes').select('body')
        return error?.message ?? (data?.length === 1 && data[0]!['body'] === own[index % 3])
      }),
    )
    expect(new Set(seen)).toEqual(new Set([true]))
    const [row] = await runAsAdmin(
      `select count(*)::int as count from pg_stat_activity where application_name = 'pando api'`,
    )
    expect(row!['count']).toBeGreaterThan(0)
    expect(row!['count']).toBeLessThanOrEqual(backendsMax)
  })

  test('whose session has ended is refused', async () => {
    const client = await signUp()
    const token = (await client.auth.getSession()).data.session!.access_token
    await client.auth.signOut()
    const headers = { apikey: publishableKey, Authorization: `Bearer ${token}` }
    const status = () => fetch(`${server.url}/rest/v1/notes`, { headers }).then((answer) => answer.status)
    await expect.poll(status, { timeout: 20_000 }).toBe(401)
  })

  test('rows that change reach who may see them', async () => {
    const client = await signUp()
    const heard: unknown[] = []
    const channel = client
      .channel('notes')
      .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notes' }, (change) =>
        heard.push(change.new['body']),
      )
    let isFollowing = false
    channel.on('system', {}, ({ status }: { status: string }) => (isFollowing ||= status === 'ok'))
    await joinChannel(channel)
    await expect.poll(() => isFollowing, { timeout: 20_000 }).toBe(true)
    await client.from('notes').insert({ body: 'heard' })
    await expect.poll(() => heard, { timeout: 20_000 }).toContain('heard')
  })
})
