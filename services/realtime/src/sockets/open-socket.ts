import type { Authenticate } from '@pando/core/authenticate'
import { credentialsOf } from '@pando/http/credentials'
import { upgradeOf } from '@pando/http/upgrades'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Version } from '../wire/messages.ts'
import type { Sockets } from './create-sockets.ts'
import { completeHandshake, whyNoHandshake } from './handshake.ts'

const versions: Readonly<Record<string, Version>> = { '1.0.0': 1, '2.0.0': 2 }

/** Makes a socket of a request, or says why not: `{code, error}`, for programs and for people. */
export async function openSocket(
  { authenticate, sockets }: { readonly authenticate: Authenticate; readonly sockets: Sockets },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const upgrade = upgradeOf(request.raw)
  if (upgrade === undefined) {
    const error = 'This address speaks WebSocket only.'
    return reply.code(426).header('upgrade', 'websocket').send({ code: 'UpgradeRequired', error })
  }
  const wrong = whyNoHandshake(request)
  if (wrong !== undefined) return reply.code(400).send({ code: 'InvalidHandshake', error: wrong })
  const { searchParams } = new URL(request.raw.url!, 'http://unused')
  const version = versions[searchParams.get('vsn') ?? '1.0.0']
  if (version === undefined)
    return reply.code(400).send({ code: 'UnsupportedVersion', error: 'vsn must be 1.0.0 or 2.0.0.' })
  const credentials = credentialsOf(request.raw)
  const caller = await authenticate(credentials)
  const full = sockets.whyFull(caller)
  if (full !== undefined) return reply.code(429).send(full)
  completeHandshake(request, reply, upgrade)
  sockets.open(upgrade, { version, caller, credentials })
  return reply
}
