import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from 'csv-parse/sync'

/** Beside the package's build, which is all that it exports. */
const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data')

export type Place = {
  iata: string
  name: string
  city: string | null
  state: string | null
  country: string
  latitude: number
  longitude: number
}

export type Flight = {
  origin: string
  destination: string
  departs_at: string
  delay_minutes: number
  distance_miles: number
}

/** The 3,376 airports of the npm package vega-datasets. */
export function readPlaces(): Place[] {
  const rows = parse(readFileSync(join(folder, 'airports.csv')), { columns: true }) as Record<string, string>[]
  return rows.map((row) => ({
    iata: row['iata'] as string,
    name: row['name'] as string,
    city: known(row['city']),
    state: known(row['state']),
    country: row['country'] as string,
    latitude: Number(row['latitude']),
    longitude: Number(row['longitude']),
  }))
}

/** 20,000 departures of 2001; those of one route at the same minute are kept once, as the table's key asks. */
export function readFlights(): Flight[] {
  const rows = JSON.parse(readFileSync(join(folder, 'flights-20k.json'), 'utf8')) as {
    date: string
    delay: number
    distance: number
    origin: string
    destination: string
  }[]
  const byKey = new Map<string, Flight>()
  for (const row of rows) {
    byKey.set(`${row.origin} ${row.destination} ${row.date}`, {
      origin: row.origin,
      destination: row.destination,
      departs_at: `${row.date.replaceAll('/', '-')}:00Z`,
      delay_minutes: row.delay,
      distance_miles: row.distance,
    })
  }
  return [...byKey.values()]
}

/** The data set writes `NA` for what it does not know. */
const known = (text: string | undefined): string | null =>
  text === undefined || text === '' || text === 'NA' ? null : text
