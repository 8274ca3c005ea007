import type { Point } from './geography.ts'
import { type ChatMessage, type Client, type Dates, listMessages, type Person, type Trip } from './trip.ts'

/** What a phone hears of its trip. */
export type TripEvents = {
  onConnected(isConnected: boolean): void
  /** Some may have been told before: they are told apart by their ids. */
  onMessages(messages: readonly ChatMessage[]): void
  onLocation(personId: string, location: Point): void
  onOnline(personIds: ReadonlySet<string>): void
  onDates(dates: Dates): void
}

export type Followed = {
  /** Tells the others where this phone is; the last place is told again to whoever comes later. */
  tellLocation(location: Point): void
}

/** People see each other move smoothly enough with this many milliseconds between two places. */
const locationPauseMs = 100

type LocationMessage = Point & { readonly person: string }

/**
 * Everything live about a trip on one private channel: rows of the chat (changes), where people are (broadcast), who is
 * there (presence), and what the database has to say (its trigger). The SDK joins again by itself after a lost connection.
 */
export function followTrip(client: Client, { trip, me }: { trip: Trip; me: Person }, events: TripEvents): Followed {
  const channel = client.channel(`trip:${trip.id}`, { config: { private: true, presence: { key: me.id } } })
  let location: Point | undefined
  let pause: ReturnType<typeof setTimeout> | undefined

  const send = (): void => {
    // Unless joined, the SDK would send it by HTTP; where somebody is can wait.
    if (location === undefined || channel.state !== 'joined') return
    void channel.send({ type: 'broadcast', event: 'location', payload: { person: me.id, ...location } })
  }
  const readChat = async (): Promise<void> => events.onMessages(await listMessages(client, trip.id))

  channel
    .on(
      'postgres_changes',
      { event: 'INSERT', schema: 'public', table: 'chat_messages', filter: `trip_id=eq.${trip.id}` },
      (change) => events.onMessages([change.new as ChatMessage]),
    )
    // Changes arrive from here on, or some were missed: either way the rows know best.
    .on('system', {}, ({ extension }) => extension === 'postgres_changes' && void readChat())
    .on('broadcast', { event: 'location' }, ({ payload }) => {
      const { person, latitude, longitude } = payload as LocationMessage
      events.onLocation(person, { latitude, longitude })
    })
    .on('broadcast', { event: 'trip_changed' }, ({ payload }) => events.onDates((payload as { record: Dates }).record))
    .on('presence', { event: 'sync' }, () => events.onOnline(new Set(Object.keys(channel.presenceState()))))
    .on('presence', { event: 'join' }, send)
    .subscribe((status) => {
      events.onConnected(status === 'SUBSCRIBED')
      if (status === 'SUBSCRIBED') void channel.track({ name: me.name })
    })

  return {
    tellLocation: (there) => {
      location = there
      pause ??= setTimeout(() => {
        pause = undefined
        send()
      }, locationPauseMs)
    },
  }
}
