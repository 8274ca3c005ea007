import { withoutState } from '@pando/core/service'
import type { HttpService } from '@pando/http/service'
import type { RestDeps } from './deps.ts'
import { createHandler, prefix, refuseMethod } from './handle.ts'

export type { RestDeps } from './deps.ts'
export { restOptions } from './config.ts'
export type { RestOptions } from './config.ts'
export { restSchemas, restSessionSettings } from './session.ts'

/** The data API: PostgREST v14's wire over the rows of Postgres, as the caller. */
export function createRest(deps: RestDeps): HttpService {
  const handle = createHandler(deps)
  return {
    // Pools and catalogue belong to the server that lends them.
    ...withoutState,
    name: 'rest',
    prefix,
    ready: deps.catalogueReadiness,
    plugin: (app, _options, done) => {
      // Bodies stay streams: most are handed to Postgres as the bytes that came.
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
      app.route({
        method: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'],
        url: '/*',
        exposeHeadRoute: false,
        handler: handle,
      })
      app.setNotFoundHandler((request, reply) => refuseMethod(request, reply))
      done()
    },
  }
}
