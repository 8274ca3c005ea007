import type { FastifyReply, FastifyRequest } from 'fastify'
import { asksForModernAuth, type Shape, toModernAuthShape, toShape, type TurnedAway } from './shapes.ts'

/** Unread bodies up to this size are read and thrown away, so that the connection can be kept; larger ones end it. */
const discardedBytesMax = 64 * 1024

export type TurnAway = (request: FastifyRequest, reply: FastifyReply, headers: Readonly<Record<string, string>>) => void

/** Answers that there is no place now, in the error shape of a service. Nothing is made for it but the answer itself. */
export function createTurnAway(service: string, turnedAway: TurnedAway): TurnAway {
  const { status } = turnedAway
  const usual = toShape(service, turnedAway)
  const modern = service === 'auth' ? toModernAuthShape(turnedAway) : undefined
  const shapeFor = (request: FastifyRequest): Shape =>
    modern !== undefined && asksForModernAuth(request.raw.headers['x-supabase-api-version']) ? modern : usual
  return (request, reply, headers) => {
    const { body, headers: shapeHeaders } = shapeFor(request)
    request.state.isShed = true
    if (hasLargeBody(request)) reply.header('connection', 'close')
    void reply.code(status).headers(shapeHeaders).headers(headers).send(body)
  }
}

function hasLargeBody({ raw: { headers } }: FastifyRequest): boolean {
  if (headers['transfer-encoding'] !== undefined) return true
  return headers['content-length'] !== undefined && Number(headers['content-length']) > discardedBytesMax
}
