import { compile } from '@fastify/proxy-addr'
import type { FastifyServerOptions } from 'fastify'
import { isIP } from 'node:net'

/** More hops than that between a client and a node are a mistake. */
const hopsMax = 32
/** Loopback, link-local and private networks by the names that the framework has for them. */
const networkNames: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal'])

/**
 * What the framework calls proxies, of a list that `refuseTrust` let pass. A number of hops it takes for none, because
 * who reaches the node past the proxies could forge the rest; whoever sets one here says that nobody can.
 */
export function toTrust(items: readonly string[]): FastifyServerOptions['trustProxy'] {
  const [only] = items
  if (items.length === 0 || only === 'false') return false
  if (only === 'true') return true
  const hops = toHops(items)
  return hops === undefined ? [...items] : (_address, hop) => hop < hops
}

/** Whether whoever connects from an address may be a proxy that is believed, of a list that `refuseTrust` let pass. */
export function createIsProxy(items: readonly string[]): (address: string) => boolean {
  const trust = toTrust(items)
  if (typeof trust === 'boolean' || trust === undefined) return () => trust === true
  const isTrusted = typeof trust === 'function' ? trust : compile(trust as string[])
  return (address) => isTrusted(address, 0)
}

/** The mistake in what an option says about proxies, or undefined. */
export function refuseTrust(items: readonly string[]): string | undefined {
  if (items.length < 2 && [undefined, 'false', 'true'].includes(items[0])) return undefined
  const hops = toHops(items)
  if (hops !== undefined) return hops <= hopsMax ? undefined : `must be at most ${hopsMax} hops, but is ${hops}`
  const wrong = items.filter((item) => !isNetwork(item)).map((item) => JSON.stringify(item))
  if (wrong.length === 0) return undefined
  return `must be false, true, a number of hops, or addresses and networks such as 10.0.0.0/8, but has ${wrong.join(', ')}`
}

function toHops(items: readonly string[]): number | undefined {
  return items.length === 1 && /^\d+$/.test(items[0]!) ? Number(items[0]) : undefined
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0) return networkNames.has(text)
  if (bits === undefined) return true
  return rest.length === 0 && /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}
