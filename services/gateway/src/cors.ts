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

/**
 * Lets pages of any origin call (Fetch standard §3.2). That is safe because nothing here is decided by a cookie: who
 * calls is told by headers that a foreign page does not have. Preflights are answered here and go no further; a plain
 * OPTIONS request goes to its service. Apps outside a browser send no `Origin` and are spared the long list.
 */
export function addCors(app: FastifyInstance, { maxAgeMs }: { maxAgeMs: number }): void {
  const maxAge = String(Math.floor(maxAgeMs / 1000))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('access-control-allow-origin', '*')
    const { headers } = request.raw
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
      .header('vary', 'Access-Control-Request-Headers')
      .send('')
  })
}
