import type { Lifecycle, Readiness } from '@pando/core/service'
import type { FastifyPluginAsync, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'

/** A service that answers HTTP under a prefix of its own. Gateway and server treat all of them alike. */
export type HttpService = Lifecycle & {
  /** As in `--services rest,auth`; also the label of its metrics. */
  readonly name: string
  /** For example `/rest/v1`; routes of the plugin are relative to it. */
  readonly prefix: string
  readonly plugin: FastifyPluginCallback | FastifyPluginAsync
  /** Whether its routes may be asked for a WebSocket (`upgrades.ts`); elsewhere `Upgrade` means nothing. */
  readonly upgrades?: boolean
  /** Origins whose pages may read its answers; any when there is none. */
  readonly corsOrigins?: () => readonly string[]
  /**
   * Answers a request that there is no place for, without doing anything for it, and says whether it did; called instead of
   * the routes, and of the hooks before them.
   */
  readonly handleShed?: (request: FastifyRequest, reply: FastifyReply) => boolean
  readonly ready: Readiness
}
