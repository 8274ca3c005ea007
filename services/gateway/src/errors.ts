import { Refusal } from '@pando/core/refusal'

/** Kong's words and shape for a missing or unknown key, which clients of this wire know: no problem document. */
export const keyRefusals = {
  missing: { message: 'No API key found in request' },
  unknown: { message: 'Invalid authentication credentials' },
}

export const errors = {
  serviceAbsent: (name: string) =>
    new Refusal('gateway.service_absent', 501, `The service ${name} does not run on this installation.`, {
      facts: { service: name },
    }),
  bodyTooLarge: (bodyBytesMax: number) =>
    new Refusal('http.body_too_large', 413, `The body is larger than ${bodyBytesMax} bytes.`, {
      facts: { bodyBytesMax },
    }),
  tooManyWebsockets: (websocketsMax: number) =>
    new Refusal('gateway.too_many_websockets', 503, 'The node has as many WebSockets as it takes. Try again shortly.', {
      facts: { websocketsMax },
      headers: { 'retry-after': '1' },
    }),
  ending: () =>
    new Refusal('gateway.ending', 503, 'The node is ending. Connect again, to another one.', {
      headers: { 'retry-after': '1' },
    }),
  upstreamUnreachable: (name: string, cause?: unknown) =>
    new Refusal('gateway.upstream_unreachable', 503, `The service ${name} cannot be reached now. Try again shortly.`, {
      facts: { service: name },
      headers: { 'retry-after': '1' },
      cause,
    }),
  upstreamBroke: (name: string, cause: unknown) =>
    new Refusal('gateway.upstream_broke', 502, `The service ${name} hung up before it had answered.`, {
      facts: { service: name },
      cause,
    }),
  upstreamBusy: (name: string, upstreamRequestsMax: number) =>
    new Refusal(
      'gateway.upstream_busy',
      503,
      `The service ${name} has as many requests as it takes. Try again shortly.`,
      {
        facts: { service: name, upstreamRequestsMax },
        headers: { 'retry-after': '1' },
      },
    ),
  upstreamTimeout: (name: string, cause?: unknown) =>
    new Refusal('gateway.upstream_timeout', 504, `The service ${name} did not answer in time.`, {
      facts: { service: name },
      cause,
    }),
}

/**
 * What went wrong between here and an upstream, as the caller is told: nothing has happened when it could not be
 * reached, something may have when it broke.
 */
export function toUpstreamRefusal(name: string, error: unknown): unknown {
  if (error instanceof Refusal) return error
  return isUnreachable(error) ? errors.upstreamUnreachable(name, error) : errors.upstreamBroke(name, error)
}

/** Whether no connection came about; one that broke or was silent has another code. */
export function isUnreachable(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall === 'connect' || code === 'UND_ERR_CONNECT_TIMEOUT'
}
