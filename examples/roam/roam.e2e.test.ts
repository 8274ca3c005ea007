import { readdirSync, readFileSync } from 'node:fs'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { startApi, type Api } from '@pando/server/testing/start-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from './src/database.types.ts'
import { readFlights } from './src/dataset.ts'
import { loadDataset } from './src/load-dataset.ts'

const ada = '11111111-1111-4111-8111-111111111111'
const bo = '22222222-2222-4222-8222-222222222222'
const cleo = '33333333-3333-4333-8333-333333333333'
const addresses: Record<string, string> = {
  [ada]: 'ada@roam.example',
  [bo]: 'bo@roam.example',
  [cleo]: 'cleo@roam.example',
}
const password = 'wander-far'

type Load = { total: number; rows: number; isDone: boolean }

let api: Api
let stranger: SupabaseClient<Database>
const loaded: Record<string, Load> = {}
beforeAll(async () => {
  api = await startApi({
    sql: readProject(),
    exposesNewTables: false,
    environment: { PANDO_AUTH_ANONYMOUS_ENABLED: 'true' },
  })
  stranger = connect()
  const loader = connect(api.keys.secretKey)
  await loadDataset(loader, (name, total) => {
    const load: Load = { total, rows: 0, isDone: false }
    loaded[name] = load
    return { add: (rows) => void (load.rows += rows), done: () => void (load.isDone = true) }
  })
})
afterAll(() => api.stop())

/** The migrations in their order, then the seed. */
function readProject(): string {
  const folder = new URL('pando/', import.meta.url)
  const migrations = readdirSync(new URL('migrations/', folder)).toSorted()
  const files = [...migrations.map((name) => `migrations/${name}`), 'seed.sql']
  return files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
}

function connect(key = api.keys.publishableKey): SupabaseClient<Database> {
  return createClient<Database>(api.url, key, { auth: { persistSession: false, autoRefreshToken: false } })
}

const signedIn = new Map<string, Promise<SupabaseClient<Database>>>()

/** The client of somebody of the seed, who signs in once. */
function as(sub: string): Promise<SupabaseClient<Database>> {
  const client = signedIn.get(sub) ?? signIn(addresses[sub]!)
  signedIn.set(sub, client)
  return client
}

async function signIn(email: string): Promise<SupabaseClient<Database>> {
  const client = connect()
  const { error } = await client.auth.signInWithPassword({ email, password })
  expect(error).toBeNull()
  return client
}

async function tripsSeenBy(client: SupabaseClient<Database>): Promise<string[]> {
  const { data } = await client.from('trips').select('title').order('title').throwOnError()
  return data.map(({ title }) => title)
}

async function postsSeenBy(client: SupabaseClient<Database>): Promise<string[]> {
  const { data } = await client.from('posts').select('body').order('body').throwOnError()
  return data.map(({ body }) => body)
}

describe('the data set', () => {
  it('is loaded through the API: every airport, and every flight once', async () => {
    const { count: places } = await stranger.from('places').select('*', { count: 'exact', head: true })
    const { count: flights } = await stranger.from('flights').select('*', { count: 'exact', head: true })
    expect([places, flights]).toEqual([3376, readFlights().length])
    expect(loaded).toEqual({
      places: { total: places, rows: places, isDone: true },
      flights: { total: flights, rows: flights, isDone: true },
    })
  })

  it('updates what the seed had, and keeps what is unknown as null', async () => {
    const { data } = await stranger.from('places').select('name,city,state').eq('iata', 'SFO').single().throwOnError()
    expect(data).toEqual({ name: 'San Francisco International', city: 'San Francisco', state: 'CA' })
    const { count } = await stranger.from('places').select('*', { count: 'exact', head: true }).is('city', null)
    expect(count).toBe(12)
  })

  it('can be paged with a count', async () => {
    const { data, count, status } = await stranger
      .from('flights')
      .select('id', { count: 'exact' })
      .order('id')
      .range(10, 19)
    expect([data?.length, count, status]).toEqual([10, readFlights().length, 206])
  })

  it('is for the loader alone to write', async () => {
    const place = { iata: 'ZZZ', name: 'Nowhere', country: 'None', latitude: 0, longitude: 0 }
    expect((await stranger.from('places').insert(place)).error?.code).toBe('42501')
    expect((await (await as(ada)).from('places').insert(place)).status).toBe(403)
  })
})

describe('who sees what', () => {
  it.each<[string, string | undefined, string[]]>([
    ['a stranger: what is public', undefined, ['Museums in the rain']],
    [
      'Ada, who follows Bo: her own, and his for followers',
      ada,
      ['A surprise party', 'Coast to coast', 'Museums in the rain'],
    ],
    ['Bo, who follows Ada: his own, and hers that are not private', bo, ['Coast to coast', 'Museums in the rain']],
    ['Cleo, who follows Ada alone', cleo, ['Museums in the rain']],
  ])('trips, to %s', async (_who, sub, titles) => {
    expect(await tripsSeenBy(sub === undefined ? stranger : await as(sub))).toEqual(titles)
  })

  it('a post shows with its trip', async () => {
    expect(await postsSeenBy(stranger)).toEqual(['Forty drawings and one umbrella.'])
    expect(await postsSeenBy(await as(ada))).toEqual([
      'Forty drawings and one umbrella.',
      'Nobody may know yet!',
      'Twelve days, two oceans.',
    ])
    expect(await postsSeenBy(await as(cleo))).toEqual(['Forty drawings and one umbrella.'])
  })

  it('policies hold for what is embedded', async () => {
    const trips = async (client: SupabaseClient<Database>) => {
      const { data } = await client.from('profiles').select('handle,trips(title)').order('handle').throwOnError()
      return data.map(({ handle, trips }) => [handle, trips.length])
    }
    expect(await trips(stranger)).toEqual([
      ['ada', 1],
      ['bo_r', 0],
      ['cleo', 0],
    ])
    expect(await trips(await as(bo))).toEqual([
      ['ada', 1],
      ['bo_r', 1],
      ['cleo', 0],
    ])
  })

  it('following somebody shows more, unfollowing less', async () => {
    const client = await as(cleo)
    await client.from('follows').insert({ followed: bo }).throwOnError()
    expect(await tripsSeenBy(client)).toEqual(['Coast to coast', 'Museums in the rain'])
    await client.from('follows').delete().eq('follower', cleo).eq('followed', bo).throwOnError()
    expect(await tripsSeenBy(client)).toEqual(['Museums in the rain'])
  })
})

describe('who writes what', () => {
  it('a stranger nothing', async () => {
    const { status, error } = await stranger.from('posts').insert({ body: 'hello' })
    expect([status, error?.code]).toEqual([401, '42501'])
  })

  it('a person writes, changes and deletes posts of their own', async () => {
    const client = await as(cleo)
    const { data: post } = await client
      .from('posts')
      .insert({ body: 'Hello from the road' })
      .select()
      .single()
      .throwOnError()
    expect(post).toMatchObject({ author: cleo, trip_id: null })
    const { data } = await client.from('posts').update({ body: 'Hello again' }).eq('id', post.id).select('body')
    expect(data).toEqual([{ body: 'Hello again' }])
    expect((await (await as(bo)).from('posts').update({ body: 'Mine' }).eq('id', post.id).select()).data).toEqual([])
    expect((await client.from('posts').delete().eq('id', post.id)).status).toBe(204)
  })

  it('nobody in the name of another, nor on the trip of another', async () => {
    const client = await as(cleo)
    expect((await client.from('posts').insert({ body: 'As Ada', author: ada })).status).toBe(403)
    const { data: trip } = await client.from('trips').select('id').single().throwOnError()
    expect((await client.from('posts').insert({ body: 'On her trip', trip_id: trip.id })).error?.code).toBe('42501')
    expect((await client.from('follows').insert({ follower: bo, followed: cleo })).status).toBe(403)
  })

  it('constraints are told apart', async () => {
    const client = await as(bo)
    const trip = { title: 'Home', origin: 'JFK', destination: 'SEA', starts_on: '2026-05-02', ends_on: '2026-05-01' }
    expect((await client.from('trips').insert(trip)).error?.code).toBe('23514')
    expect((await client.from('trips').insert({ ...trip, ends_on: '2026-05-03', origin: 'NOPE' })).status).toBe(409)
    expect((await client.from('profiles').update({ handle: 'ada' }).eq('id', bo)).error?.code).toBe('23505')
  })
})

describe('queries of the app', () => {
  it('the feed: newest posts with author, trip and place', async () => {
    const { data } = await (
      await as(bo)
    )
      .from('posts')
      .select('body,author:profiles(handle),trip:trips(title,from:places!origin(city)),place:places(name)')
      .eq('author.handle', 'bo_r')
      .not('author', 'is', null)
      .order('created_at', { ascending: false })
      .limit(20)
      .throwOnError()
    expect(data).toEqual([
      {
        body: 'Twelve days, two oceans.',
        author: { handle: 'bo_r' },
        trip: { title: 'Coast to coast', from: { city: 'New York' } },
        place: { name: 'San Francisco International' },
      },
    ])
  })

  it('both ends of a flight, by their keys', async () => {
    const { data } = await stranger
      .from('flights')
      .select('from:places!flights_origin_fkey(city),to:places!flights_destination_fkey(city)')
      .order('departs_at')
      .limit(1)
      .single()
      .throwOnError()
    expect(data).toEqual({ from: { city: 'Detroit' }, to: { city: 'Las Vegas' } })
  })

  it('flights out of a state, worst first', async () => {
    const { data } = await stranger
      .from('flights')
      .select('delay_minutes,from:places!flights_origin_fkey!inner(state)')
      .eq('from.state', 'CA')
      .order('delay_minutes', { ascending: false })
      .limit(2)
      .throwOnError()
    expect(data.map((flight) => flight.delay_minutes)).toEqual([297, 292])
  })

  it('places near a point, nearest first', async () => {
    const near = { latitude: 37.8199, longitude: -122.4783, radius_km: 30 }
    const { data } = await stranger.rpc('places_near', near).throwOnError()
    expect(data).toEqual([
      { iata: 'SFO', name: 'San Francisco International', city: 'San Francisco', distance_km: 24.1 },
      { iata: 'OAK', name: 'Metropolitan Oakland International', city: 'Oakland', distance_km: 25.2 },
    ])
  })

  it('the worst routes, from the view', async () => {
    const { data } = await stranger
      .from('route_delays')
      .select()
      .gte('flights', 20)
      .order('average_delay_minutes', { ascending: false })
      .limit(1)
      .throwOnError()
    expect(data).toEqual([{ origin: 'DFW', destination: 'ATL', flights: 29, average_delay_minutes: 34.4 }])
  })

  it('followers, counted by a computed column', async () => {
    const { data } = await stranger.from('profiles').select('handle,followers_count').order('handle').throwOnError()
    expect(data).toEqual([
      { handle: 'ada', followers_count: 2 },
      { handle: 'bo_r', followers_count: 1 },
      { handle: 'cleo', followers_count: 0 },
    ])
  })

  it('words in posts, in any form', async () => {
    const { data } = await stranger
      .from('posts')
      .select('body')
      .textSearch('body', 'drawing', { type: 'websearch', config: 'english' })
    expect(data).toEqual([{ body: 'Forty drawings and one umbrella.' }])
  })
})

describe('accounts', () => {
  const signUp = async (email: string, data: Record<string, string> = {}) => {
    const client = connect()
    const { data: made, error } = await client.auth.signUp({ email, password, options: { data } })
    expect(error).toBeNull()
    return { client, id: made.user!.id }
  }
  const profileOf = async (id: string) => {
    const { data } = await stranger.from('profiles').select('handle,full_name').eq('id', id).single().throwOnError()
    return data
  }

  it('signing up makes a profile of what the app sends along', async () => {
    const { client, id } = await signUp('dora@roam.example', { handle: 'dora', full_name: 'Dora Ek' })
    expect(await profileOf(id)).toEqual({ handle: 'dora', full_name: 'Dora Ek' })
    const { data } = await client.from('profiles').update({ home: 'SEA' }).eq('id', id).select('home').single()
    expect(data).toEqual({ home: 'SEA' })
  })

  it('a handle that is taken or none is changed, and costs nobody the account', async () => {
    const second = await signUp('dora@elsewhere.example', { handle: 'dora' })
    expect((await profileOf(second.id)).handle).toMatch(/^dora_[0-9a-f]{6}$/)
    const odd = await signUp('x@roam.example', { handle: 'É!' })
    expect((await profileOf(odd.id)).handle).toBe('___')
  })

  it('a guest plans a trip, and does not post', async () => {
    const client = connect()
    const { data } = await client.auth.signInAnonymously()
    expect((await profileOf(data.user!.id)).handle).toMatch(/^guest/)
    const trip = { title: 'Maybe', origin: 'JFK', destination: 'SEA', starts_on: '2026-06-01', ends_on: '2026-06-02' }
    expect((await client.from('trips').insert(trip)).error).toBeNull()
    expect((await client.from('posts').insert({ body: 'Hello?' })).error?.code).toBe('42501')
  })

  it('an admin removes what should not be there; nobody makes themselves one', async () => {
    const { client, id } = await signUp('mod@roam.example')
    const author = await as(bo)
    const { data: post } = await author.from('posts').insert({ body: 'Buy now!' }).select('id').single().throwOnError()
    const remove = async () => (await client.from('posts').delete().eq('id', post.id).select('id')).data
    await client.auth.updateUser({ data: { role: 'admin' } })
    await client.auth.refreshSession()
    expect(await remove()).toEqual([])
    const { admin } = connect(api.keys.secretKey).auth
    await admin.updateUserById(id, { app_metadata: { role: 'admin' } })
    await client.auth.refreshSession()
    expect(await remove()).toEqual([{ id: post.id }])
  })

  it('an account that is deleted takes profile, trips and posts along', async () => {
    const { client, id } = await signUp('gone@roam.example', { handle: 'gone' })
    await client.from('posts').insert({ body: 'Not for long' }).throwOnError()
    await connect(api.keys.secretKey).auth.admin.deleteUser(id)
    const { count } = await stranger.from('profiles').select('*', { count: 'exact', head: true }).eq('id', id)
    expect(count).toBe(0)
    expect((await stranger.from('posts').select('id').eq('author', id)).data).toEqual([])
  })
})
