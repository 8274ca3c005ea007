import type { Clock } from '@pando/core/clock'
import { AnswerTooLarge, fetchBounded } from '@pando/http/fetch-bounded'
import { setTimeout as sleep } from 'node:timers/promises'
import { errors } from '../errors.ts'
import { signWebhook } from './sign-webhook.ts'

export type WebhookDeps = {
  readonly clock: Clock
  readonly newId: () => string
  readonly limits: WebhookLimits
}

export type WebhookLimits = {
  /** For all attempts together. */
  readonly timeoutMs: number
  readonly attemptsMax: number
  /** Wait after an attempt that did not reach the hook. */
  readonly backoffMs: number
  readonly bytesMax: number
}

export const webhookLimits: WebhookLimits = {
  timeoutMs: 5_000,
  attemptsMax: 3,
  backoffMs: 2_000,
  bytesMax: 200 * 1024,
}

/**
 * Asks a hook over HTTPS. A hook that cannot be reached, or says 429 or 503 with `Retry-After`, is asked again while
 * there is time; all attempts have one `webhook-id`, by which the hook knows them as one.
 *
 * @returns the JSON of the answer, undefined for 204
 */
export async function callWebhook(
  deps: WebhookDeps,
  { url, keys }: { readonly url: string; readonly keys: readonly Buffer[] },
  input: unknown,
): Promise<unknown> {
  const { clock, limits } = deps
  const endsMs = clock.monotonic() + limits.timeoutMs
  const [id, body] = [deps.newId(), JSON.stringify(input)]
  for (let attempt = 1; ; attempt++) {
    const leftMs = Math.ceil(endsMs - clock.monotonic())
    if (leftMs <= 0) throw errors.hookTimeout(limits.timeoutMs)
    const headers = signWebhook({ id, timestampS: Math.floor(clock.now() / 1000), body }, keys)
    const answer = await post(url, { headers, body }, { ...limits, leftMs })
    const pauseMs = answer instanceof Error ? limits.backoffMs : toPauseMs(answer)
    if (pauseMs === undefined) return toOutput(answer as Response)
    if (attempt >= limits.attemptsMax)
      throw answer instanceof Error ? errors.hookUnreachable(answer) : errors.hookUnavailable()
    if (pauseMs >= endsMs - clock.monotonic()) throw errors.hookTimeout(limits.timeoutMs)
    await sleep(pauseMs)
  }
}

/** An error when the hook could not be reached. */
async function post(
  url: string,
  { headers, body }: { readonly headers: Record<string, string>; readonly body: string },
  { leftMs, timeoutMs, bytesMax }: WebhookLimits & { readonly leftMs: number },
): Promise<Response | TypeError> {
  const standard = { 'content-type': 'application/json', 'accept-encoding': 'identity' }
  try {
    return await fetchBounded(
      url,
      { method: 'POST', headers: { ...standard, ...headers }, body, redirect: 'manual' },
      { timeoutMs: leftMs, bytesMax },
    )
  } catch (error) {
    if (error instanceof AnswerTooLarge) throw errors.hookPayloadTooLarge(bytesMax)
    if (error instanceof Error && error.name === 'TimeoutError') throw errors.hookTimeout(timeoutMs)
    if (error instanceof TypeError) return error
    throw error
  }
}

/** How long the hook wants to be left alone; undefined when it has answered. */
function toPauseMs({ status, headers }: Response): number | undefined {
  const retryAfter = headers.get('retry-after')
  if ((status !== 429 && status !== 503) || retryAfter === null) return undefined
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : 1
  return seconds * 1000
}

async function toOutput(answer: Response): Promise<unknown> {
  const { status, headers } = answer
  if (status === 204) return undefined
  if (status === 200 || status === 202) {
    mustBeJson(headers.get('content-type'))
    try {
      return await answer.json()
    } catch (error) {
      throw errors.hookOutputInvalid('Error unmarshaling JSON output.', error)
    }
  }
  if (status === 400) throw errors.hookOutputInvalid('Invalid payload sent to hook')
  if (status === 401) throw errors.hookOutputInvalid('Hook requires authorization token')
  if (status === 429 || status === 503) throw errors.hookUnavailable()
  throw errors.hookOutputInvalid(`Unexpected status code returned from hook: ${status}`)
}

function mustBeJson(contentType: string | null): void {
  if (contentType === null) throw errors.hookContentType('Invalid Content-Type: Missing Content-Type header')
  const [mediaType] = contentType.split(';')
  if (mediaType!.trim().toLowerCase() !== 'application/json')
    throw errors.hookContentType(`Invalid JSON response. Received content-type: ${contentType}`)
}
