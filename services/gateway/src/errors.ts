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
  upstreamUnreachable: (name: string, cause: unknown) =>
    new Refusal('gateway.upstream_unreachable', 502, `The service ${name} cannot be reached.`, {
      facts: { service: name },
      cause,
    }),
  upstreamTimeout: (name: string, cause?: unknown) =>
    new Refusal('gateway.upstream_timeout', 504, `The service ${name} did not answer in time.`, {
      facts: { service: name },
      cause,
    }),
}
