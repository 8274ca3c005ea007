import type { SupabaseClient } from '@supabase/supabase-js'
import type { Database, Tables } from '../src/database.types.ts'
import type { Frame, Point } from './geography.ts'

export type Client = SupabaseClient<Database>
export type Person = { readonly id: string; readonly name: string }
export type Place = Point & { readonly iata: string; readonly city: string | null }
export type Dates = { readonly starts_on: string; readonly ends_on: string }
export type Trip = Dates & {
  readonly id: number
  readonly title: string
  readonly from: Place
  readonly to: Place
  /** Who plans it. */
  readonly traveller: Person
  /** Everybody who is on it. */
  readonly people: readonly Person[]
}
export type ChatMessage = Tables<'chat_messages'>

/** The first trip on which somebody comes along; a stranger sees none and this throws. */
export async function getTrip(client: Client): Promise<Trip> {
  const place = 'iata,city,latitude,longitude'
  const { data } = await client
    .from('trips')
    .select(
      `id,title,starts_on,ends_on,from:places!origin(${place}),to:places!destination(${place}),
       traveller:profiles!traveller(id,name:full_name),companions!inner(person:profiles(id,name:full_name))`,
    )
    .order('id')
    .limit(1)
    .single()
    .throwOnError()
  const { companions, ...trip } = data
  return { ...trip, people: [trip.traveller, ...companions.map(({ person }) => person)] }
}

/** What was said last, the oldest first. */
export async function listMessages(client: Client, tripId: number): Promise<ChatMessage[]> {
  const { data } = await client
    .from('chat_messages')
    .select()
    .eq('trip_id', tripId)
    .order('sent_at', { ascending: false })
    .limit(50)
    .throwOnError()
  return data.toReversed()
}

/** All airports that a frame shows. */
export async function listAirports(client: Client, { south, north, west, east }: Frame): Promise<Point[]> {
  const pageSize = 1000
  const points: Point[] = []
  for (;;) {
    const { data } = await client
      .from('places')
      .select('latitude,longitude')
      .gte('latitude', south)
      .lte('latitude', north)
      .gte('longitude', west)
      .lte('longitude', east)
      .order('iata')
      .range(points.length, points.length + pageSize - 1)
      .throwOnError()
    points.push(...data)
    if (data.length < pageSize) return points
  }
}
