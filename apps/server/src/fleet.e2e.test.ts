import { demoKeys } from '@pando/http/auth/api-keys'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { Agent, request as requestHttp } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readServerConfig } from './config.ts'
import { startServer, type RunningServer } from './start-server.ts'
import { balancers, isInstalled, startBalancer } from './testing/balancer.ts'
import { type Api, startApi } from './testing/start-api.ts'

const sql = `
  create table public.notes (id int generated always as identity primary key, owner uuid default auth.uid(), text text);
  alter table public.notes enable row level security;
  create policy own on public.notes using (owner = auth.uid()) with check (owner = auth.uid());
  create table public.hits (id int generated always as identity primary key);
  alter publication supabase_realtime add table public.notes;
`
/** Of every node: whoever is on this machine is believed when it says for whom it asks. */
const common = {
  PANDO_HTTP_TRUST_PROXY: 'loopback',
  // Longer than the load balancers let connections rest.
  PANDO_SERVER_DRAIN_DELAY: '1500ms',
  PANDO_SERVER_DRAIN_SPREAD: '0',
  PANDO_LOG_LEVEL: 'silent',
}

let rest: Api[]
let accounts: Api
let gateway: RunningServer
const clients: SupabaseClient[] = []

beforeAll(async () => {
  const first = await startApi({ sql, environment: { ...common, PANDO_SERVER_SERVICES: 'rest' } })
  const beside = (services: string, port = '0') =>
    startApi({
      beside: first,
      environment: { ...common, PANDO_SERVER_SERVICES: services, PANDO_SERVER_PORT: port },
    })
  rest = [first, await beside('rest')]
  accounts = await beside('auth,realtime')
  const keys = await demoKeys()
  const upstreams = [...rest.map(({ url }) => `rest=${url}`), `auth=${accounts.url}`, `realtime=${accounts.url}`]
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: keys.jwtSecret,
      PANDO_SERVER_SERVICES: 'gateway',
      PANDO_SERVER_PORT: '0',
      PANDO_LOG_LEVEL: 'silent',
      PANDO_HTTP_SERVER_TIMING: 'false',
      PANDO_GATEWAY_UPSTREAMS: upstreams.join(','),
      PANDO_GATEWAY_UPSTREAM_PROBE_INTERVAL: '100ms',
      // Many tests share few cores.
      PANDO_GATEWAY_UPSTREAM_PROBE_TIMEOUT: '30s',
    },
  })
  gateway = await startServer(config, { services: {} })
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.removeAllChannels()))
  await gateway?.stop()
  await accounts?.stop()
  await rest?.[1]?.stop()
  await rest?.[0]?.stop()
})

function connect(): SupabaseClient {
  const client = createClient(gateway.url, rest[0]!.keys.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  })
  clients.push(client)
  return client
}

describe('an app on a gateway, two nodes for data and one for accounts and realtime', () => {
  it('signs up, writes and reads its rows, and hears of changes, by the official SDK', async () => {
    const client = connect()
    const { data, error } = await client.auth.signUp({ email: 'ada@example.com', password: 'correct horse battery' })
    expect([error, data.user?.email]).toEqual([null, 'ada@example.com'])
    await client.realtime.setAuth(data.session!.access_token)
    const heard = Promise.withResolvers<unknown>()
    await new Promise<void>((resolve, reject) => {
      client
        .channel('notes')
        .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notes' }, (change) =>
          heard.resolve(change.new),
        )
        .on('system', {}, ({ status, message }: { status: string; message: string }) =>
          status === 'ok' ? resolve() : reject(new Error(message)),
        )
        .subscribe()
    })
    expect(await client.from('notes').insert({ text: 'hello' })).toMatchObject({ error: null })
    const pages = await Promise.all(Array.from({ length: 10 }, () => client.from('notes').select('text')))
    expect(pages.map((page) => page.data)).toEqual(pages.map(() => [{ text: 'hello' }]))
    expect(await connect().from('notes').select()).toMatchObject({ data: [] })
    expect(await heard.promise).toMatchObject({ text: 'hello', owner: data.user!.id })
    expect(await client.auth.getUser()).toMatchObject({ data: { user: { id: data.user!.id } } })
  })

  it('says 501 for a service that no node has', async () => {
    expect((await fetch(`${gateway.url}/storage/v1/bucket`)).status).toBe(501)
  })

  // Those that are installed; in CI all are.
  const present = balancers.filter(isInstalled)
  it(`loses no request while each node is replaced, behind ${['our gateway', ...present].join(', ')}`, async () => {
    const { database, keys } = rest[0]!
    const nodes = rest.map(({ url }) => url)
    const started = await Promise.all(present.map(async (name) => ({ name, ...(await startBalancer(name, nodes)) })))
    const doors = [{ name: 'our gateway', url: gateway.url }, ...started]
    const asking = doors.map(({ url }) => keepAsking(url, keys.serviceRoleKey))
    const more = async (count: 'written' | 'byReplaced'): Promise<void> => {
      const before = asking.map((one) => one[count]())
      const least = (): number => Math.min(...asking.map((one, at) => one[count]() - before[at]!))
      await expect.poll(least, { timeout: 20_000 }).toBeGreaterThan(20)
    }
    await more('written')
    for (const [index, old] of rest.entries()) {
      await old.drain()
      const environment = {
        ...common,
        PANDO_SERVER_SERVICES: 'rest',
        PANDO_SERVER_PORT: new URL(old.url).port,
        // By this it is known from the others.
        PANDO_HTTP_SERVER_TIMING: 'false',
      }
      const next = await startApi({ beside: old, environment })
      rest[index] = { ...next, stop: async () => (await next.stop(), await old.stop()) }
      await more('byReplaced')
    }
    const outcomes = await Promise.all(asking.map(({ stop }) => stop()))
    await Promise.all(started.map(({ stop }) => stop()))
    expect(outcomes.map((seen) => [...seen.keys()].toSorted())).toEqual(doors.map(() => ['GET 200', 'POST 201']))
    const written = outcomes.reduce((sum, seen) => sum + seen.get('POST 201')!, 0)
    expect(await database.query('select count(*)::int as count from public.hits')).toEqual([{ count: written }])
  }, 60_000)
})

/** Some who read and some who write, one request after the other, and how often they were answered what. */
function keepAsking(url: string, key: string) {
  const outcomes = new Map<string, number>()
  let byReplaced = 0
  const over = new AbortController()
  const agent = new Agent({ keepAlive: true })
  const headers = { apikey: key, 'content-type': 'application/json' }
  const ask = (method: string): Promise<string> =>
    new Promise((resolve) => {
      const sent = requestHttp(`${url}/rest/v1/hits?select=id&limit=1`, { method, agent, headers }, (answer) => {
        byReplaced += answer.headers['server-timing'] === undefined ? 1 : 0
        answer.resume().on('end', () => resolve(`${method} ${answer.statusCode}`))
      })
      sent.on('error', (error) => resolve(`${method} ${error.message}`)).end(method === 'POST' ? '{}' : undefined)
    })
  const running = ['GET', 'POST', 'GET', 'POST'].map(async (method) => {
    while (!over.signal.aborted) {
      const outcome = await ask(method)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  })
  return {
    written: () => outcomes.get('POST 201') ?? 0,
    /** Answers of nodes that have taken the place of others. */
    byReplaced: () => byReplaced,
    stop: async (): Promise<ReadonlyMap<string, number>> => {
      over.abort()
      await Promise.all(running)
      agent.destroy()
      return outcomes
    },
  }
}
