import { Refusal } from '@pando/core/refusal'

function invalidToken(code: string, message: string): Refusal {
  const headers = { 'www-authenticate': `Bearer error="invalid_token", error_description=${JSON.stringify(message)}` }
  return new Refusal(code, 401, message, { headers })
}

/** Why somebody is not let in. Messages are those of PostgREST 14 where it has one: clients show and match them. */
export const authErrors = {
  emptyToken: () => invalidToken('token.malformed', 'Empty JWT is sent in Authorization header'),
  notThreeParts: (parts: number) => invalidToken('token.malformed', `Expected 3 parts in JWT; got ${parts}`),
  malformed: (what: string) => invalidToken('token.malformed', `JWT is malformed: ${what}`),
  tooLong: (tokenBytesMax: number) => invalidToken('token.malformed', `JWT is longer than ${tokenBytesMax} bytes`),
  unsupportedAlgorithm: () => invalidToken('token.invalid', 'Wrong or unsupported encoding algorithm'),
  noKey: () => invalidToken('token.invalid', 'No suitable key or wrong key type'),
  badSignature: () => invalidToken('token.invalid', 'JWT cryptographic operation failed'),
  expired: () => invalidToken('token.expired', 'JWT expired'),
  sessionEnded: () => invalidToken('token.invalid', 'Session of the JWT has ended'),
  claims: (message: string) => invalidToken('token.claims', message),
  anonymousDisabled: () =>
    new Refusal('token.claims', 401, 'Anonymous access is disabled', { headers: { 'www-authenticate': 'Bearer' } }),
  unknownKey: () =>
    new Refusal('key.unknown', 401, 'Invalid API key', {
      facts: { hint: 'Double check the API key that the client sends as `apikey`.' },
    }),
  /** Not the caller's fault, so not a 401: an app would sign its user out. */
  keysUnavailable: (issuer: string, cause: unknown) =>
    new Refusal('token.keys_unavailable', 503, `The keys of the issuer ${issuer} cannot be fetched now.`, {
      headers: { 'retry-after': '5' },
      cause,
    }),
}
