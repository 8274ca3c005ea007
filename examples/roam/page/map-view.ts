import { svg } from './elements.ts'
import { type Frame, frameAround, type Point, pointAlong } from './geography.ts'
import type { Person, Place, Trip } from './trip.ts'

export type MapView = {
  readonly element: SVGElement
  showPerson(person: Person, location: Point): void
}

/** What is to be shown: the frame of a trip, and the airports in it, whose dots are map enough. */
export type Land = { readonly frame: Frame; readonly airports: readonly Point[] }

const steps = 48

const wayOf = ({ from, to }: Trip): Point[] =>
  Array.from({ length: steps + 1 }, (_, step) => pointAlong(from, to, step / steps))

export const frameOf = (trip: Trip): Frame => frameAround(wayOf(trip), { width: 640, height: 300 })

/** Where a trip goes and where its people are. */
export function createMapView(trip: Trip, { frame, airports }: Land, colourOf: (person: Person) => string): MapView {
  const { from, to, people } = trip
  const markers = new Map<string, SVGElement>()
  const layer = svg('g')
  const element = svg(
    'svg',
    { viewBox: `0 0 ${frame.width} ${frame.height}`, class: 'map', 'aria-hidden': 'true' },
    svg('path', { class: 'airports', d: toDots(airports.map(frame.place)) }),
    svg('path', { class: 'way', d: toPath(wayOf(trip).map(frame.place)) }),
    toEnd(frame, from),
    toEnd(frame, to),
    layer,
  )

  function markerOf(person: Person): SVGElement {
    const initial = svg('text', { 'text-anchor': 'middle', dy: '0.36em' }, person.name.slice(0, 1))
    const marker = svg(
      'g',
      { class: 'person', style: `--person: ${colourOf(person)}` },
      svg('circle', { r: 13 }),
      initial,
    )
    layer.append(marker)
    markers.set(person.id, marker)
    return marker
  }

  return {
    element,
    showPerson: (person, location) => {
      const { x, y } = frame.place(location)
      // Those who stand at one place stand side by side.
      const aside = (people.findIndex(({ id }) => id === person.id) - (people.length - 1) / 2) * 12
      const marker = markers.get(person.id) ?? markerOf(person)
      marker.style.transform = `translate(${x.toFixed(1)}px, ${(y + aside).toFixed(1)}px)`
    },
  }
}

function toEnd(frame: Frame, { iata, ...point }: Place): SVGElement {
  const { x, y } = frame.place(point)
  return svg(
    'g',
    { class: 'end', transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    svg('circle', { r: 4.5 }),
    svg('text', { 'text-anchor': 'middle', dy: 40 }, iata),
  )
}

type Pixel = { readonly x: number; readonly y: number }

const toDots = (points: readonly Pixel[]): string =>
  points.map(({ x, y }) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join('')

const toPath = (points: readonly Pixel[]): string =>
  `M${points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`
