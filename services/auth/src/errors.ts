import { Refusal } from '@pando/core/refusal'

/** A refusal by the code that the SDKs know (`X-Supabase-Api-Version: 2024-01-01`). */
function refusal(code: string, status: number, message: string): Refusal {
  return new Refusal(code, status, message)
}

/** Every "no" of this service, with the wire's own codes, statuses and texts: SDKs and apps compare them. */
export const errors = {
  badJson: (reason: string) => refusal('bad_json', 400, `Could not parse request body as JSON: ${reason}`),
  invalid: (message: string) => refusal('validation_failed', 400, message),
  unprocessable: (message: string) => refusal('validation_failed', 422, message),
  notFound: () => refusal('validation_failed', 404, 'There is nothing at this path'),
  bodyTooLarge: (bytesMax: number) =>
    refusal('request_entity_too_large', 413, `Request body too large (max ${bytesMax} bytes)`),
  noAuthorization: () => refusal('no_authorization', 401, 'This endpoint requires a valid Bearer token'),
  badJwt: (reason: string) => refusal('bad_jwt', 403, `invalid JWT: ${reason}`),
  notAdmin: () => refusal('not_admin', 403, 'User not allowed'),
  notForAnonymous: () => refusal('no_authorization', 403, 'Anonymous user not allowed to perform these actions'),
  userOfTokenNotFound: () => refusal('user_not_found', 403, 'User from sub claim in JWT does not exist'),
  sessionOfTokenNotFound: () =>
    refusal('session_not_found', 403, 'Session from session_id claim in JWT does not exist'),
  userIdInvalid: () => refusal('validation_failed', 404, 'user_id must be an UUID'),
  userNotFound: () => refusal('user_not_found', 404, 'User not found'),
  userBannedNow: () => refusal('user_banned', 403, 'User is banned'),
  userBanned: () => refusal('user_banned', 400, 'User is banned'),
  signupDisabled: () => refusal('signup_disabled', 422, 'Signups not allowed for this instance'),
  anonymousDisabled: () => refusal('anonymous_provider_disabled', 422, 'Anonymous sign-ins are disabled'),
  emailSignupDisabled: () => refusal('email_provider_disabled', 400, 'Email signups are disabled'),
  phoneSignupDisabled: () => refusal('phone_provider_disabled', 400, 'Phone signups are disabled'),
  emailLoginDisabled: () => refusal('email_provider_disabled', 422, 'Email logins are disabled'),
  phoneLoginDisabled: () => refusal('phone_provider_disabled', 422, 'Phone logins are disabled'),
  userAlreadyExists: () => refusal('user_already_exists', 422, 'User already registered'),
  emailExists: () => refusal('email_exists', 422, 'A user with this email address has already been registered'),
  phoneExists: () => refusal('phone_exists', 422, 'A user with this phone number has already been registered'),
  emailInvalid: (email: string) =>
    refusal('email_address_invalid', 400, `Email address ${JSON.stringify(email)} is invalid`),
  invalidCredentials: () => refusal('invalid_credentials', 400, 'Invalid login credentials'),
  emailNotConfirmed: () => refusal('email_not_confirmed', 400, 'Email not confirmed'),
  phoneNotConfirmed: () => refusal('phone_not_confirmed', 400, 'Phone not confirmed'),
  weakPassword: (message: string, reasons: readonly string[]) =>
    new Refusal('weak_password', 422, message, { facts: { weak_password: { reasons } } }),
  samePassword: () => refusal('same_password', 422, 'New password should be different from the old password.'),
  appMetadataNeedsAdmin: () => refusal('not_admin', 403, 'Updating app_metadata requires admin privileges'),
  insufficientAal: () =>
    refusal('insufficient_aal', 401, 'AAL2 session is required to update email or password when MFA is enabled.'),
  refreshTokenNotFound: () => refusal('refresh_token_not_found', 400, 'Invalid Refresh Token: Refresh Token Not Found'),
  refreshTokenUsed: () => refusal('refresh_token_already_used', 400, 'Invalid Refresh Token: Already Used'),
  refreshTokenUserBanned: () => refusal('user_banned', 400, 'Invalid Refresh Token: User Banned'),
  sessionExpired: (reason: string) =>
    refusal('session_expired', 400, `Invalid Refresh Token: Session Expired${reason}`),
  tooManySignIns: () =>
    new Refusal('over_request_rate_limit', 503, 'Too many people sign in right now; try again in a moment', {
      headers: { 'Retry-After': String(1 + Math.floor(Math.random() * 4)) },
    }),
  unsupportedGrant: () =>
    new Refusal('invalid_request', 400, 'unsupported_grant_type', { facts: { oauth: 'unsupported_grant_type' } }),
  oauth: (error: string, description: string) => new Refusal(error, 400, description, { facts: { oauth: error } }),
  absent: (what: string) =>
    new Refusal('feature_disabled', 501, `${what} is not part of Pando. See docs/compatibility.md.`),
} as const
