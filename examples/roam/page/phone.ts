import { createChatView, firstName } from './chat-view.ts'
import { html } from './elements.ts'
import { followTrip } from './follow-trip.ts'
import { distanceKm, pointAlong, type Point } from './geography.ts'
import { createJourneyView } from './journey-view.ts'
import { createMapView, type Land } from './map-view.ts'
import { createOutbox } from './outbox.ts'
import { createPeopleView } from './people-view.ts'
import type { Client, Dates, Person, Trip } from './trip.ts'
import { createTripView, formatDates } from './trip-view.ts'

export type PhoneOptions = { readonly client: Client; readonly me: Person; readonly trip: Trip; readonly land: Land }

const colours = ['var(--first)', 'var(--second)', 'var(--third)']

/** The phone of somebody on a trip: the views of it, wired to what the channel tells. */
export function createPhone({ client, me, trip, land }: PhoneOptions): HTMLElement {
  const { people } = trip
  const colourOf = ({ id }: Person): string => colours[people.findIndex((person) => person.id === id) % colours.length]!
  const personOf = (id: string): Person => people.find((person) => person.id === id) ?? { id, name: 'Somebody' }

  const map = createMapView(trip, land, colourOf)
  const list = createPeopleView({ people, me }, colourOf)
  const network = createNetworkButton(client)
  const chat = createChatView({ me, colourOf, onSay: say })
  const outbox = createOutbox(client, {
    isConnected: network.isConnected,
    onRefused: (reason) => chat.note(`Not sent: ${reason}`),
  })
  const journey = createJourneyView(trip, (part) => moveMe(pointAlong(trip.from, trip.to, part)))
  const header = createTripView(trip, me.id === trip.traveller.id ? (dates) => void putOff(dates) : undefined)
  const live = followTrip(
    client,
    { trip, me },
    {
      onConnected: (isConnected) => {
        network.show(isConnected)
        void outbox.flush()
      },
      onMessages: (messages) => {
        for (const { id, author, body, sent_at: sentAt } of messages)
          chat.show({ id, author: personOf(author), body, sentAt })
      },
      onLocation: (id, location) => showLocation(personOf(id), location),
      onOnline: list.showOnline,
      onDates: (dates) => {
        header.showDates(dates)
        chat.note(`New dates: ${formatDates(dates)}`)
      },
    },
  )

  /** Everybody hears of it from the database, this phone too. */
  async function putOff(dates: Dates): Promise<void> {
    const { error } = await client.from('trips').update(dates).eq('id', trip.id)
    if (error !== null) chat.note(error.message)
  }

  function say(body: string): void {
    const message = { id: crypto.randomUUID(), trip_id: trip.id, body }
    chat.show({ id: message.id, author: me, body })
    outbox.add(message)
  }

  function moveMe(location: Point): void {
    showLocation(me, location)
    live.tellLocation(location)
  }

  function showLocation(person: Person, location: Point): void {
    map.showPerson(person, location)
    const left = Math.round(distanceKm(location, trip.to))
    list.showWhere(person, left === 0 ? `in ${trip.to.city ?? trip.to.iata}` : `${left.toLocaleString('en')} km to go`)
  }

  moveMe(trip.from)
  return html(
    'section',
    { class: 'phone', 'aria-label': `${firstName(me)}’s phone`, style: `--person: ${colourOf(me)}` },
    html(
      'h2',
      {},
      html('span', { class: 'avatar', 'aria-hidden': 'true' }, me.name.slice(0, 1)),
      me.name,
      network.element,
    ),
    header.element,
    map.element,
    journey,
    list.element,
    chat.element,
  )
}

/** A switch for the tunnel: the connection goes, and comes back. */
function createNetworkButton({ realtime }: Client) {
  let isConnected = false
  let isInTunnel = false
  const element = html('button', { type: 'button', class: 'network', 'aria-live': 'polite' })
  const show = (connected: boolean): void => {
    isConnected = connected && !isInTunnel
    element.textContent = isConnected ? 'Connected' : isInTunnel ? 'In a tunnel' : 'Connecting…'
    element.title = isInTunnel ? 'Leave the tunnel' : 'Go into a tunnel'
    element.classList.toggle('on', isConnected)
  }
  element.addEventListener('click', () => {
    isInTunnel = !isInTunnel
    if (isInTunnel) void realtime.disconnect()
    else realtime.connect()
    show(false)
  })
  show(false)
  return { element, show, isConnected: () => isConnected }
}
