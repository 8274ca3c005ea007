import type { HttpService } from '@pando/http/service'
import type { FastifyInstance } from 'fastify'

/** What a browser may read of an answer; without the list it shows a page neither counts nor request ids. */
const exposed = [
  'Content-Encoding',
  'Content-Length',
  'Content-Location',
  'Content-Profile',
  'Content-Range',
  'Content-Type',
  'Date',
  'ETag',
  'Pando-Commit',
  'Link',
  'Location',
  'Preference-Applied',
  'Proxy-Status',
  'Range-Unit',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Server-Timing',
  'WWW-Authenticate',
  'X-Relay-Error',
  'X-Request-Id',
  'X-Supabase-Api-Version',
  'X-Total-Count',
].join(', ')
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

export type CorsDeps = {
  /** How long a browser may remember a preflight. */
  readonly maxAgeMs: number
  /** Those of this process; each may name whose pages read its answers. */
  readonly services: readonly Pick<HttpService, 'prefix' | 'corsOrigins'>[]
}

/**
 * Lets pages of any origin call (Fetch standard §3.2), unless the service names some. That is safe because nothing here
 * is decided by a cookie: who calls is told by headers that a foreign page does not have. Preflights are answered here
 * and go no further; a plain OPTIONS request goes to its service. Apps outside a browser send no `Origin` and are spared
 * the long list.
 */
export function addCors(app: FastifyInstance, { maxAgeMs, services }: CorsDeps): void {
  const maxAge = String(Math.floor(maxAgeMs / 1000))
  const choosy = services.filter(({ corsOrigins }) => corsOrigins !== undefined)
  const originsOf = (url: string): readonly string[] =>
    choosy.find(({ prefix }) => url.startsWith(prefix))?.corsOrigins!() ?? []
  app.addHook('onRequest', (request, reply, done) => {
    const { headers } = request.raw
    const origins = originsOf(request.raw.url!)
    reply.header('access-control-allow-origin', toAllowed(origins, headers.origin))
    if (origins.length > 0) reply.header('vary', 'Origin')
    if (request.method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      if (headers.origin !== undefined) reply.header('access-control-expose-headers', exposed)
      done()
      return
    }
    reply
      .code(200)
      .header('access-control-allow-methods', methods)
      .header('access-control-allow-headers', headers['access-control-request-headers'] ?? '*')
      .header('access-control-max-age', maxAge)
      .header('vary', origins.length > 0 ? 'Origin, Access-Control-Request-Headers' : 'Access-Control-Request-Headers')
      .send('')
  })
}

/** To others the first of those that are let in is named, so that their browser keeps the answer from them. */
function toAllowed(origins: readonly string[], origin: string | undefined): string {
  if (origins.length === 0) return '*'
  return origin !== undefined && origins.includes(origin) ? origin : origins[0]!
}
