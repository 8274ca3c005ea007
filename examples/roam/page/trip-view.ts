import { html } from './elements.ts'
import type { Dates, Trip } from './trip.ts'

export type TripView = { readonly element: HTMLElement; showDates(dates: Dates): void }

const days = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', timeZone: 'UTC' })

export const formatDates = ({ starts_on, ends_on }: Dates): string =>
  days.formatRange(new Date(starts_on), new Date(ends_on))

/** A trip's title, ends and dates; who plans it can put it off. */
export function createTripView(trip: Trip, onPutOff: ((dates: Dates) => void) | undefined): TripView {
  let dates: Dates = trip
  const when = html('span', {}, formatDates(dates))
  const line = html('p', {}, `${trip.from.city ?? trip.from.iata} to ${trip.to.city ?? trip.to.iata} · `, when)
  const element = html('div', { class: 'trip' }, html('h3', {}, trip.title), line)
  if (onPutOff !== undefined) {
    const button = html('button', { type: 'button', class: 'quiet' }, 'A day later')
    button.addEventListener('click', () =>
      onPutOff({ starts_on: dayAfter(dates.starts_on), ends_on: dayAfter(dates.ends_on) }),
    )
    element.append(button)
  }
  return {
    element,
    showDates: (changed) => {
      dates = changed
      when.textContent = formatDates(dates)
    },
  }
}

function dayAfter(day: string): string {
  const date = new Date(day)
  date.setUTCDate(date.getUTCDate() + 1)
  return date.toISOString().slice(0, 10)
}
