import { withoutState } from '@pando/core/service'
import type { HttpService } from '@pando/http/service'
import type { RestDeps } from './deps.ts'
import { createHandler, prefix } from './handle.ts'

export type { RestDeps } from './deps.ts'
export { restOptions } from './config.ts'
export type { RestOptions } from './config.ts'
export { commitHeader, nameOfCaller } from './consistency.ts'
export { createEffectiveConfigs } from './effective-config.ts'
export type { EffectiveConfigs } from './effective-config.ts'
export { preConfigOf, restSessionSettings } from './session.ts'

/** The data API: PostgREST v14's wire over the rows of Postgres, as the caller. */
export function createRest(deps: RestDeps): HttpService {
  const { handle, handleShed, corsOrigins } = createHandler(deps)
  return {
    // Pools and catalogue belong to the server that lends them.
    ...withoutState,
    name: 'rest',
    prefix,
    corsOrigins,
    handleShed,
    ready: deps.catalogueReadiness,
    plugin: (app, _options, done) => {
      // Answered by a hook, before Fastify looks for a body: bodies stay streams, most are handed to Postgres as the
      // bytes that came, and a request with one is spared a parser that parses nothing. The routes are there to be
      // found, and named in metrics.
      app.addHook('onRequest', (request, reply, done) => void handle(request, reply, done))
      app.all('/*', () => {})
      app.setNotFoundHandler(() => {})
      done()
    },
  }
}
