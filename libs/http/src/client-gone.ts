import type { FastifyReply } from 'fastify'

/** Calls `callback` once if the client hangs up before it has its whole answer. */
export function onClientGone(reply: FastifyReply, callback: () => void): void {
  const { raw } = reply
  raw.once('close', () => {
    if (!raw.writableFinished) callback()
  })
}
