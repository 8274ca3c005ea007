import { withoutState } from '@pando/core/service'
import { readAssets } from '@pando/dashboard/read-assets'
import type { HttpService } from '@pando/http/service'

/** Nothing of the page comes from elsewhere, and no other page may frame it. */
const securityPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

/** The page at `/` that shows what runs; for development. */
export function createDashboardService(): HttpService {
  return {
    ...withoutState,
    name: 'dashboard',
    prefix: '',
    ready: () => ({ ready: true }),
    plugin: (app, _options, done) => {
      for (const { path, contentType, body } of readAssets()) {
        app.get(path, (_request, reply) =>
          reply
            .headers({
              'Content-Type': contentType,
              'Cache-Control': 'no-cache',
              'Content-Security-Policy': securityPolicy,
              'X-Content-Type-Options': 'nosniff',
            })
            .send(body),
        )
      }
      done()
    },
  }
}
