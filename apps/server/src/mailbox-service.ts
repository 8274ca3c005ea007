import { refuseForeign } from '@pando/admin'
import type { Outbox } from '@pando/auth'
import { Refusal } from '@pando/core/refusal'
import { withoutState } from '@pando/core/service'
import type { HttpService } from '@pando/http/service'

/** A mail may load pictures and have links that open elsewhere; it runs nothing and knows nothing of this origin. */
const previewPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline' https:; " +
  "img-src https: http: data:; font-src https: data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

/**
 * What nobody delivers, to be read on this machine alone: `GET /mailbox/messages?to=…` is JSON, newest first. The page
 * around it is one of the dashboard's.
 */
export function createMailboxService(outbox: Outbox): HttpService {
  return {
    ...withoutState,
    name: 'mailbox',
    prefix: '/mailbox',
    ready: () => ({ ready: true }),
    plugin: (app, _options, done) => {
      app.addHook('onRequest', (request, reply, next) => {
        refuseForeign(request.raw.socket.remoteAddress, request.headers)
        void reply.headers({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
        next()
      })
      app.get('/messages', ({ raw }) => {
        const { searchParams } = new URL(raw.url!, 'http://unused')
        return outbox.list(searchParams.get('to') ?? undefined)
      })
      app.delete('/messages', (_request, reply) => {
        outbox.clear()
        return reply.code(204).send()
      })
      app.get<{ Params: { id: string } }>('/messages/:id/html', (request, reply) => {
        const { html } = outbox.list().find(({ id }) => id === request.params.id) ?? {}
        if (html === undefined) throw new Refusal('mailbox.not_found', 404, 'There is no such mail any more.')
        return reply
          .headers({ 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': previewPolicy })
          .send(html.replace(/<head[^>]*>|^/i, '$&<base target="_blank">'))
      })
      done()
    },
  }
}
