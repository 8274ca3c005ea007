import type { Authenticate } from '@pando/core/authenticate'
import { credentialsOf } from '@pando/http/credentials'
import { pathOf } from '@pando/http/paths'
import type { FastifyInstance } from 'fastify'
import { keyRefusals } from './errors.ts'
import { isKeyless, type KnownService } from './known-services.ts'

/**
 * Refuses requests to a service that show no key this installation made. It is a doorman and no guard: every service
 * finds out who calls by itself. The path is compared in the one normal form that the listener lets in; a spelling of
 * an exempt path that differs is simply not exempt.
 */
export function requireApiKey(
  app: FastifyInstance,
  authenticate: Authenticate,
  service: Omit<KnownService, 'name'>,
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isKeyless(service, pathOf(request.raw.url!))) return
    const { apikey } = credentialsOf(request.raw)
    if (apikey === undefined || apikey === '') return reply.code(401).send(keyRefusals.missing)
    try {
      await authenticate({ apikey })
    } catch {
      return reply.code(401).send(keyRefusals.unknown)
    }
  })
}
