import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@pando/core/refusal'

/**
 * Refuses what a web page of somebody else could send through the developer's browser. CORS is open on this listener
 * for the API's sake, and a name of an attacker can be made to resolve to 127.0.0.1 (DNS rebinding); so the address
 * must be a loopback one, the name asked for must be one too, and a browser must say that the page is our own.
 *
 * @throws admin.foreign_request
 */
export function refuseForeign(remoteAddress: string | undefined, headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site']
  const isOwnPage = site === undefined || site === 'same-origin' || site === 'none'
  const origin = headers['origin']
  const isOwnOrigin = origin === undefined || (isLoopbackUrl(origin) && new URL(origin).host === headers.host)
  if (isOwnPage && isOwnOrigin && isLoopbackUrl(`http://${headers.host}`) && isLoopbackAddress(remoteAddress)) return
  throw new Refusal(
    'admin.foreign_request',
    403,
    'This is for the people at this machine alone: open it as http://127.0.0.1:<port>, not from another page or by another name.',
  )
}

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { hostname } = new URL(text)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address)
}
