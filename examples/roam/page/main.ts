import { createClient } from '@supabase/supabase-js'
import type { Database } from '../src/database.types.ts'
import { frameOf } from './map-view.ts'
import { createPhone } from './phone.ts'
import { type Client, getTrip, listAirports } from './trip.ts'

const { API_URL, API_KEY } = import.meta.env

/** Two people of the seed; each has a client, as each would have a phone. */
async function signIn(email: string): Promise<{ id: string; client: Client }> {
  const auth = { persistSession: false, storageKey: email }
  const client = createClient<Database>(API_URL, API_KEY, { auth })
  const { data, error } = await client.auth.signInWithPassword({ email, password: 'wander-far' })
  if (error !== null) throw error
  return { id: data.user.id, client }
}

async function start(): Promise<void> {
  const phones = await Promise.all(['ada@roam.example', 'bo@roam.example'].map(signIn))
  const trip = await getTrip(phones[0]!.client)
  const frame = frameOf(trip)
  const land = { frame, airports: await listAirports(phones[0]!.client, frame) }
  for (const { id, client } of phones) {
    const me = trip.people.find((person) => person.id === id)!
    document.querySelector('#phones')!.append(createPhone({ client, me, trip, land }))
  }
}

start().catch((error: unknown) => {
  const problem = document.querySelector<HTMLElement>('#problem')!
  const reason = error instanceof Error ? error.message : String(error)
  problem.textContent = `${API_URL} does not give what this page needs (${reason}). Run “npm start” in the repository’s root, then load the page again.`
  problem.hidden = false
})
