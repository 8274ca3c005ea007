import { Refusal } from '@pando/core/refusal'
import type { HttpValues } from './config.ts'

/** The refusals of the HTTP floor. The text says what to do; the limit is among the facts. */
export const errors = {
  malformedRequest: () => new Refusal('http.malformed_request', 400, 'The request is not valid HTTP/1.1.'),
  malformedUrl: () => new Refusal('http.malformed_url', 400, 'The path of the URL is not valid percent-encoded UTF-8.'),
  ambiguousPath: () =>
    new Refusal(
      'http.ambiguous_path',
      400,
      'The path has an empty segment, a dot segment, a backslash or a null byte. Send it in its normal form.',
    ),
  malformedBody: (cause: Error) => new Refusal('http.malformed_body', 400, cause.message, { cause }),
  notFound: (path: string) => new Refusal('http.not_found', 404, `Nothing answers at ${path}.`),
  methodNotAllowed: (method: string, allowed: readonly string[]) =>
    new Refusal('http.method_not_allowed', 405, `This path does not answer ${method}, but ${allowed.join(', ')}.`, {
      headers: { allow: allowed.join(', ') },
    }),
  timeout: () => new Refusal('http.request_timeout', 408, 'The request did not arrive in time.'),
  bodyTooLarge: (bodyBytesMax: number) =>
    new Refusal('http.body_too_large', 413, `The body is larger than ${bodyBytesMax} bytes.`, {
      facts: { bodyBytesMax },
    }),
  urlTooLong: ({ urlBytesMax }: Pick<HttpValues, 'urlBytesMax'>) =>
    new Refusal('http.url_too_long', 414, `The URL is longer than ${urlBytesMax} bytes.`, { facts: { urlBytesMax } }),
  unsupportedMediaType: (contentType: string) =>
    new Refusal(
      'http.unsupported_media_type',
      415,
      `The content type ${JSON.stringify(contentType)} is not accepted here.`,
    ),
  tooManyHeaders: ({ headersMax }: Pick<HttpValues, 'headersMax'>) =>
    new Refusal('http.too_many_headers', 431, `The request has more than ${headersMax} headers.`, {
      facts: { headersMax },
    }),
  headersTooLarge: ({ headersBytesMax }: Pick<HttpValues, 'headersBytesMax'>) =>
    new Refusal('http.headers_too_large', 431, `The headers are larger than ${headersBytesMax} bytes.`, {
      facts: { headersBytesMax },
    }),
  tooManyConnections: ({ connectionsMax }: Pick<HttpValues, 'connectionsMax'>) =>
    new Refusal('http.too_many_connections', 503, 'The node has as many connections as it takes. Try again shortly.', {
      facts: { connectionsMax },
      headers: { 'retry-after': '1' },
    }),
  tooManyConnectionsOfAddress: ({ connectionsPerAddressMax }: Pick<HttpValues, 'connectionsPerAddressMax'>) =>
    new Refusal('http.too_many_connections_of_address', 503, 'Your network has as many connections as it may have.', {
      facts: { connectionsPerAddressMax },
      headers: { 'retry-after': '5' },
    }),
}
