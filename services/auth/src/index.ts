import type { HttpService } from '@pando/http/service'
import type { AuthDeps } from './deps.ts'
import { mountRoutes } from './route.ts'
import { routes } from './routes.ts'

export { authOptions, type AuthOptions } from './config.ts'
export type { AuthDeps } from './deps.ts'
export { createPasswords } from './passwords/create-passwords.ts'

/** Accounts and sessions, on the wire that the SDKs of Supabase speak. */
export function createAuth(deps: AuthDeps): HttpService {
  return {
    name: 'auth',
    prefix: '/auth/v1',
    ready: () => ({ ready: true }),
    start: () => Promise.resolve(),
    drain: () => Promise.resolve(),
    stop: async () => {
      await deps.passwords.close()
      await deps.database.close()
    },
    plugin: (app, _options, done) => {
      mountRoutes(app, deps, routes)
      done()
    },
  }
}
