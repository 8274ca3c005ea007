/** The bounds of asking another server. */
export type FetchBounds = {
  /** Longest wait for the whole answer. */
  readonly timeoutMs: number
  /** Largest answer. */
  readonly bytesMax: number
}

/** An answer was longer than it may be. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

/**
 * Asks a server that the configuration names, never one that a caller does: time and size are bounded, and a redirect
 * is an error unless `init` wants to see it, so that nobody is sent on to another address. The answer's body is here
 * already.
 *
 * @throws AnswerTooLarge; a `TimeoutError` when the whole answer was not there in time; a `TypeError` when the address
 *   cannot be reached, or redirects
 */
export async function fetchBounded(url: string, init: RequestInit, bounds: FetchBounds): Promise<Response> {
  const response = await fetch(url, { redirect: 'error', ...init, signal: AbortSignal.timeout(bounds.timeoutMs) })
  const body = await readBounded(response, bounds.bytesMax, new URL(url).host)
  const { status, statusText, headers } = response
  return new Response(body.length === 0 ? null : body, { status, statusText, headers })
}

async function readBounded(response: Response, bytesMax: number, host: string): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > bytesMax) throw new AnswerTooLarge(`${host} answered more than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
