import { withoutState } from '@pando/core/service'
import type { HttpService } from '@pando/http/service'
import type { AdminDeps } from './deps.ts'
import { getOverview } from './overview.ts'
import { refuseForeign } from './refuse-foreign.ts'

export type { AdminDeps } from './deps.ts'
export { refuseForeign } from './refuse-foreign.ts'

/** What the people who run an installation may see. It answers this machine alone. */
export function createAdmin(deps: AdminDeps): HttpService {
  return {
    ...withoutState,
    name: 'admin',
    prefix: '/admin/v1',
    ready: () => ({ ready: true }),
    plugin: (app, _options, done) => {
      app.addHook('onRequest', (request, _reply, next) => {
        refuseForeign(request.raw.socket.remoteAddress, request.headers)
        next()
      })
      app.get('/overview', () => getOverview(deps))
      done()
    },
  }
}
