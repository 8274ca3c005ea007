import type { IncomingMessage } from 'node:http'
import { Refusal } from '@pando/core/refusal'

/**
 * The chunks of a request's body as they arrive, at most `bytesMax` bytes of them.
 *
 * @throws 413 when one more byte comes, 400 when the client hangs up before the end
 */
export async function* limitBytes(body: IncomingMessage, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      yield chunk
    }
  } catch (error) {
    if (error instanceof Refusal || body.complete) throw error
    throw new Refusal('PGRST102', 400, 'The connection closed before the body had arrived', { cause: error })
  }
}

function tooLarge(bytesMax: number): Refusal {
  return new Refusal('PGRST102', 413, `The body is larger than ${bytesMax} bytes`, {
    facts: { details: null, hint: 'Send fewer rows per request, or raise PANDO_REST_BODY_BYTES_MAX.' },
    headers: { Connection: 'close' },
  })
}
