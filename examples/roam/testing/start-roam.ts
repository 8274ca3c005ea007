import { readdirSync, readFileSync } from 'node:fs'
import { type Api, startApi } from '@pando/server/testing/start-api'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { Database } from '../src/database.types.ts'

export type RoamClient = SupabaseClient<Database>

/** Somebody of the seed, signed in. */
export type Person = { readonly id: string; readonly client: RoamClient }

/** For `expect.poll`: how long something may take to arrive on a machine that has much else to do. */
export const soon = { timeout: 10_000 }

/** A node that serves Roam: its migrations in their order, then the seed. */
export function startRoam(): Promise<Api> {
  const folder = new URL('../pando/', import.meta.url)
  const migrations = readdirSync(new URL('migrations/', folder)).toSorted()
  const files = [...migrations.map((name) => `migrations/${name}`), 'seed.sql']
  const sql = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  return startApi({ sql, exposesNewTables: false, environment: { PANDO_REALTIME_UNDECIDED_DELETES: 'tell-key' } })
}

/** The official client as an app would make it, with nothing kept on disk. */
export function connect({ url, keys }: Api, key = keys.publishableKey): RoamClient {
  return createClient<Database>(url, key, { auth: { persistSession: false, autoRefreshToken: false } })
}

export async function signIn(api: Api, name: 'ada' | 'bo' | 'cleo'): Promise<Person> {
  const client = connect(api)
  const email = `${name}@roam.example`
  const { data, error } = await client.auth.signInWithPassword({ email, password: 'wander-far' })
  if (error !== null) throw error
  return { id: data.user.id, client }
}
