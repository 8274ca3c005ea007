import type { HttpService } from '@pando/http/service'
import type { AuthDeps } from './deps.ts'
import { mountRoutes } from './route.ts'
import { routes } from './routes.ts'

export { createAttestation } from './attestation/create-attestation.ts'
export { createCaptcha } from './captcha/create-captcha.ts'
export { authOptions, type AuthOptions } from './config.ts'
export { createDelivery } from './delivery/create-delivery.ts'
export type { DeliveryObservation } from './delivery/observation.ts'
export { createOutbox, type Outbox, type OutboxMessage } from './delivery/outbox.ts'
export type { AuthDeps } from './deps.ts'
export { createHooks } from './hooks/create-hooks.ts'
export { deliverByHooks } from './hooks/deliver-by-hooks.ts'
export { createLimits } from './limits/create-limits.ts'
export { limitDelivery } from './limits/limit-delivery.ts'
export { createBreachCheck } from './passwords/create-breach-check.ts'
export { createPasswords } from './passwords/create-passwords.ts'
export { createProviders } from './providers/create-providers.ts'
export { createSecretBox } from './secret-box.ts'
export { createSweep } from './sessions/sweep-ended-sessions.ts'
export { type EndedSessionsWatch, watchEndedSessions } from './sessions/watch-ended-sessions.ts'

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
      await deps.limits.close()
      await deps.database.close()
    },
    plugin: (app, _options, done) => {
      mountRoutes(app, deps, routes)
      done()
    },
  }
}
