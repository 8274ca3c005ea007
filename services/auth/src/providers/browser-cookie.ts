import type { IncomingHttpHeaders } from 'node:http'
import type { AuthDeps } from '../deps.ts'

/**
 * Ties a sign-in whose tokens come back in the address to the browser in which it began, so that nobody can slip
 * somebody else their own sign-in (RFC 9700 §4.7). Apps that use PKCE need no cookie: their verifier does it.
 */
export type BrowserCookie = { readonly token: string; readonly header: string }

/** One for all tabs of a browser. Providers that answer with a form come from another site, hence `SameSite=None`. */
export function toBrowserCookie(deps: AuthDeps, headers: IncomingHttpHeaders): BrowserCookie {
  const token = readBrowserToken(deps, headers) ?? deps.randomBytes(24).toString('base64url')
  const maxAge = Math.ceil(deps.options.externalFlowExpiry / 1000)
  const site = isSecure(deps) ? 'Secure; SameSite=None' : 'SameSite=Lax'
  return { token, header: `${nameOf(deps)}=${token}; Path=/; Max-Age=${maxAge}; HttpOnly; ${site}` }
}

export function readBrowserToken(deps: AuthDeps, { cookie = '' }: IncomingHttpHeaders): string | undefined {
  const prefix = `${nameOf(deps)}=`
  const pairs = cookie.split(';').map((pair) => pair.trim())
  const token = pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length)
  return token !== undefined && /^[\w-]{32}$/.test(token) ? token : undefined
}

const isSecure = ({ apiUrl }: AuthDeps): boolean => apiUrl().startsWith('https:')

/** No other host of the domain can set a cookie with this prefix. */
const nameOf = (deps: AuthDeps): string => (isSecure(deps) ? '__Host-pando-flow' : 'pando-flow')
