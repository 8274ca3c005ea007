import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'

/** One machine behind an origin: `ip` is undefined where the origin names it itself. */
export type Place = { readonly origin: string; readonly ip?: string }
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>

/** More machines behind one name are not used. */
const placesMax = 64

/**
 * The machines behind an origin, all that its name has in the DNS. A name with addresses of both families has the same
 * machines twice, so those of IPv4 are taken if there are any. Rejects when the name has none.
 */
export async function resolveOrigin(origin: string, lookup: Lookup): Promise<Place[]> {
  const { hostname } = new URL(origin)
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return [{ origin }]
  const found = await lookup(hostname)
  const v4 = found.filter(({ family }) => family === 4)
  const ips = (v4.length > 0 ? v4 : found).map(({ address }) => address)
  return [...new Set(ips)].slice(0, placesMax).map((ip) => ({ origin, ip }))
}

/** As it stands in log lines. */
export const nameOf = ({ origin, ip }: Place): string => (ip === undefined ? origin : `${origin} (${ip})`)
