import { overviewSchema } from '@pando/contract/overview'
import type { HttpService } from '@pando/http/service'
import type { AdminDeps } from './deps.ts'
import { getOverview } from './overview.ts'
import { refuseForeign } from './refuse-foreign.ts'

export type { AdminDeps } from './deps.ts'

/** What the people who run an installation may see. It answers this machine alone. */
export function createAdmin(deps: AdminDeps): HttpService {
  const nothing = (): Promise<void> => Promise.resolve()
  return {
    name: 'admin',
    prefix: '/admin/v1',
    start: nothing,
    drain: nothing,
    stop: nothing,
    ready: () => ({ ready: true }),
    plugin: (app, _options, done) => {
      app.addHook('onRequest', (request, _reply, next) => {
        refuseForeign(request.raw.socket.remoteAddress, request.headers)
        next()
      })
      app.get('/overview', { schema: { response: { 200: overviewSchema } } }, () => getOverview(deps))
      done()
    },
  }
}
