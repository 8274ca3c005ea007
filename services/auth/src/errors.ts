import { Refusal } from '@pando/core/refusal'

/** A refusal by the code that the SDKs know (`X-Supabase-Api-Version: 2024-01-01`). */
function refusal(code: string, status: number, message: string): Refusal {
  return new Refusal(code, status, message)
}

/** "Not now": `Retry-After` (RFC 9110 §10.2.3) says when. */
function limited(code: string, message: string, retryAfterS: number): Refusal {
  return new Refusal(code, 429, message, { headers: { 'Retry-After': String(retryAfterS) } })
}

type FactorType = 'totp' | 'phone' | 'webauthn'
const factorTitles = { totp: 'TOTP', phone: 'Phone', webauthn: 'WebAuthn' } as const

/** Every "no" of this service, with the wire's own codes, statuses and texts: SDKs and apps compare them. */
export const errors = {
  badJson: (reason: string) => refusal('bad_json', 400, `Could not parse request body as JSON: ${reason}`),
  invalid: (message: string) => refusal('validation_failed', 400, message),
  unprocessable: (message: string) => refusal('validation_failed', 422, message),
  notFound: () => refusal('validation_failed', 404, 'There is nothing at this path'),
  bodyTooLarge: (bytesMax: number) =>
    refusal('request_entity_too_large', 413, `Request body too large (max ${bytesMax} bytes)`),
  noAuthorization: () => refusal('no_authorization', 401, 'This endpoint requires a valid Bearer token'),
  badJwt: (reason: string) => refusal('bad_jwt', 403, `invalid JWT: unable to parse or verify signature, ${reason}`),
  badClaim: (reason: string) => refusal('bad_jwt', 403, `invalid claim: ${reason}`),
  notAdmin: () => refusal('not_admin', 403, 'User not allowed'),
  notForAnonymous: () => refusal('no_authorization', 403, 'Anonymous user not allowed to perform these actions'),
  userOfTokenNotFound: () => refusal('user_not_found', 403, 'User from sub claim in JWT does not exist'),
  sessionOfTokenNotFound: () =>
    refusal('session_not_found', 403, 'Session from session_id claim in JWT does not exist'),
  sessionIdInvalid: () => refusal('validation_failed', 404, 'session_id must be an UUID'),
  sessionNotFound: () => refusal('validation_failed', 404, 'Session not found'),
  userIdInvalid: () => refusal('validation_failed', 404, 'user_id must be an UUID'),
  userNotSaved: (cause: Error) => new Refusal('unexpected_failure', 500, 'Database error saving new user', { cause }),
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
  emailInvalid: () => refusal('validation_failed', 400, 'Unable to validate email address: invalid format'),
  invalidCredentials: () => refusal('invalid_credentials', 400, 'Invalid login credentials'),
  emailNotConfirmed: () => refusal('email_not_confirmed', 400, 'Email not confirmed'),
  phoneNotConfirmed: () => refusal('phone_not_confirmed', 400, 'Phone not confirmed'),
  weakPassword: (message: string, reasons: readonly string[]) =>
    new Refusal('weak_password', 422, message, { facts: { weak_password: { reasons } } }),
  currentPasswordRequired: () =>
    refusal('current_password_required', 400, 'Current password required when setting new password.'),
  currentPasswordInvalid: () =>
    refusal('current_password_invalid', 400, 'Current password required when setting new password.'),
  samePassword: () => refusal('same_password', 422, 'New password should be different from the old password.'),
  appMetadataNeedsAdmin: () => refusal('not_admin', 403, 'Updating app_metadata requires admin privileges'),
  insufficientAal: () =>
    refusal('insufficient_aal', 401, 'AAL2 session is required to do this when MFA is enabled; verify a factor first.'),
  factorTypeInvalid: () => refusal('validation_failed', 400, 'factor_type needs to be totp, phone, or webauthn'),
  enrollDisabled: (type: FactorType) =>
    refusal(`mfa_${type}_enroll_not_enabled`, 422, `MFA enroll is disabled for ${factorTitles[type]}`),
  verifyDisabled: (type: FactorType) =>
    refusal(`mfa_${type}_verify_not_enabled`, 422, `MFA verification is disabled for ${factorTitles[type]}`),
  factorIdInvalid: () => refusal('validation_failed', 404, 'factor_id must be an UUID'),
  factorNotFound: () => refusal('mfa_factor_not_found', 404, 'Factor not found'),
  factorNameTaken: (name: string) =>
    refusal(
      'mfa_factor_name_conflict',
      422,
      `A factor with the friendly name ${JSON.stringify(name)} for this user already exists`,
    ),
  phoneFactorExists: () =>
    refusal(
      'mfa_verified_factor_exists',
      422,
      'A verified phone factor already exists, unenroll the existing factor to continue',
    ),
  tooManyFactors: () =>
    refusal('too_many_enrolled_mfa_factors', 422, 'Maximum number of verified factors reached, unenroll to continue'),
  challengeNotFound: () => refusal('mfa_factor_not_found', 422, 'MFA factor with the provided challenge ID not found'),
  challengeExpired: (id: string) =>
    refusal(
      'mfa_challenge_expired',
      422,
      `MFA challenge ${id} has expired, verify against another challenge or create a new challenge.`,
    ),
  factorNotVerified: () =>
    refusal('mfa_factor_not_found', 422, 'Recovery codes stand in for a factor: enroll and verify one first'),
  verificationFailed: (message: string) => refusal('mfa_verification_failed', 422, message),
  passkeysDisabled: () => refusal('passkey_disabled', 404, 'Passkeys are disabled'),
  passkeyNotFound: () => refusal('validation_failed', 404, 'Passkey not found'),
  tooManyPasskeys: () => refusal('too_many_passkeys', 422, 'Maximum number of passkeys reached'),
  passkeyChallengeNotFound: () => refusal('webauthn_challenge_not_found', 400, 'Challenge not found or already used'),
  passkeyChallengeExpired: () => refusal('webauthn_challenge_expired', 400, 'Challenge has expired'),
  webauthnFailed: (cause?: unknown) =>
    new Refusal('webauthn_verification_failed', 400, 'Credential verification failed', { cause }),
  credentialExists: () => refusal('webauthn_credential_exists', 422, 'This credential is already registered'),
  attestationDisabled: () =>
    refusal('attestation_disabled', 404, 'Attestation by this provider is disabled: see [auth.attestation]'),
  attestationChallengeNotFound: () =>
    refusal('attestation_challenge_not_found', 400, 'Challenge not found, replaced, or already used'),
  attestationChallengeExpired: () => refusal('attestation_challenge_expired', 400, 'Challenge has expired'),
  attestationFailed: (reason: string, cause?: unknown) =>
    new Refusal('attestation_failed', 400, `The device was not attested: ${reason}`, { cause }),
  attestedKeyNotFound: () =>
    refusal('attested_key_not_found', 400, 'This key is not known: generate a new one and send its attestation'),
  attestationUnavailable: (cause: unknown) =>
    new Refusal('attestation_unavailable', 503, 'Google cannot be asked now; try again with a new challenge', {
      headers: { 'Retry-After': '5' },
      cause,
    }),
  phoneUnsupported: () => refusal('phone_provider_disabled', 400, 'Unsupported phone provider'),
  otpDisabled: () => refusal('otp_disabled', 422, 'Signups not allowed for otp'),
  codeExpired: () => refusal('otp_expired', 403, 'Token has expired or is invalid'),
  linkExpired: () => refusal('otp_expired', 403, 'Email link is invalid or has expired'),
  tooSoon: (channel: 'email' | 'sms', seconds: number) =>
    new Refusal(
      `over_${channel}_send_rate_limit`,
      429,
      `For security purposes, you can only request this after ${seconds} seconds.`,
      { headers: { 'Retry-After': String(Math.max(1, seconds)) } },
    ),
  flowNotFound: () => refusal('flow_state_not_found', 404, 'invalid flow state, no valid flow state found'),
  flowExpired: () => refusal('flow_state_expired', 422, 'invalid flow state, flow state has expired'),
  badCodeVerifier: () =>
    refusal('bad_code_verifier', 400, 'code challenge does not match previously saved code verifier'),
  reauthenticationNeeded: (what: string) =>
    refusal('reauthentication_needed', 400, `${what} requires reauthentication`),
  reauthenticationNotValid: () => refusal('reauthentication_not_valid', 422, 'Nonce has expired or is invalid'),
  addressNotConfirmed: (address: 'email' | 'phone') =>
    refusal(`${address}_not_confirmed`, 422, `Please verify your ${address} first.`),
  userOfEmailNotFound: () => refusal('user_not_found', 404, 'User with this email not found'),
  providerSecretMissing: () => refusal('validation_failed', 400, 'Unsupported provider: missing OAuth secret'),
  providerUnsupported: (name: string) =>
    refusal('validation_failed', 400, `Unsupported provider: ${JSON.stringify(name.slice(0, 100))} is not enabled`),
  providerUnreachable: (name: string, cause: unknown) =>
    new Refusal('unexpected_failure', 503, `The provider ${name} cannot be reached now; try again`, {
      headers: { 'Retry-After': '5' },
      cause,
    }),
  providerExchange: (code: string, cause: unknown) =>
    new Refusal('unexpected_failure', 500, `Unable to exchange external code: ${code.slice(0, 4)}`, { cause }),
  providerProfile: (cause: unknown) =>
    new Refusal('unexpected_failure', 500, 'Error getting user profile from external provider', { cause }),
  providerEmailMissing: () => refusal('unexpected_failure', 500, 'Error getting user email from external provider'),
  providerEmailUnverified: (provider: string) =>
    refusal(
      'provider_email_needs_verification',
      422,
      `Unverified email with ${provider}. Verify the email with ${provider} or by the mail that we sent, then sign in again`,
    ),
  oauthStateMissing: () => refusal('bad_oauth_callback', 400, 'OAuth state parameter missing'),
  oauthStateUnknown: () => refusal('bad_oauth_state', 400, 'OAuth state not found or expired'),
  oauthCodeMissing: () => refusal('bad_oauth_callback', 400, 'OAuth callback with missing authorization code missing'),
  badIdToken: (cause?: unknown) =>
    new Refusal('invalid request', 400, 'Bad ID token', { facts: { oauth: 'invalid request' }, cause }),
  idTokenProviderDisabled: (name: string) =>
    refusal('provider_disabled', 400, `Provider (issuer ${JSON.stringify(name.slice(0, 200))}) is not enabled`),
  badAudience: (audiences: readonly unknown[]) =>
    new Refusal('invalid request', 400, `Unacceptable audience in id_token: [${audiences.join(' ').slice(0, 200)}]`, {
      facts: { oauth: 'invalid request' },
    }),
  providerKeysUnavailable: (cause: unknown) =>
    new Refusal('unexpected_failure', 503, 'The keys of the provider cannot be fetched now; try again', {
      headers: { 'Retry-After': '5' },
      cause,
    }),
  manualLinkingDisabled: () => refusal('manual_linking_disabled', 404, 'Manual linking is disabled'),
  identityExists: (own: boolean) =>
    refusal('identity_already_exists', 422, `Identity is already linked${own ? '' : ' to another user'}`),
  emailOfAnother: () => refusal('email_exists', 400, 'A user with this email address has already been registered'),
  identityIdInvalid: () => refusal('validation_failed', 404, 'identity_id must be an UUID'),
  identityNotFound: () => refusal('identity_not_found', 422, "Identity doesn't exist"),
  identityIsLast: () =>
    refusal('single_identity_not_deletable', 422, 'User must have at least 1 identity after unlinking'),
  identityEmailConflict: () =>
    refusal('email_conflict_identity_not_deletable', 422, 'Unable to unlink identity due to email conflict'),
  refreshTokenNotFound: () => refusal('refresh_token_not_found', 400, 'Invalid Refresh Token: Refresh Token Not Found'),
  refreshTokenUsed: () => refusal('refresh_token_already_used', 400, 'Invalid Refresh Token: Already Used'),
  refreshTokenUserBanned: () => refusal('user_banned', 400, 'Invalid Refresh Token: User Banned'),
  sessionExpired: (reason: string) =>
    refusal('session_expired', 400, `Invalid Refresh Token: Session Expired${reason}`),
  tooManySignIns: () =>
    new Refusal('over_request_rate_limit', 503, 'Too many people sign in right now; try again in a moment', {
      headers: { 'Retry-After': String(1 + Math.floor(Math.random() * 4)) },
    }),
  tooManyMails: () =>
    new Refusal('over_email_send_rate_limit', 503, 'Too many mails wait to be sent; try again in a moment', {
      headers: { 'Retry-After': '30' },
    }),
  mailNotConfigured: () =>
    refusal(
      'unexpected_failure',
      500,
      'This installation sends no mails: set PANDO_AUTH_SMTP_HOST ([auth.email.smtp])',
    ),
  mailNotSent: (kind: string) => refusal('unexpected_failure', 500, `Error sending ${kind.replace('_', ' ')} email`),
  mailRefused: (to: string) =>
    refusal('email_address_invalid', 400, `The mail server does not take mails to ${JSON.stringify(to)}`),
  textsNotConfigured: () =>
    refusal(
      'phone_provider_disabled',
      500,
      'This installation sends no text messages: enable a provider ([auth.sms.…])',
    ),
  textNotSent: (reason: string) => refusal('sms_send_failed', 422, `Error sending OTP to provider: ${reason}`),
  channelUnknown: () =>
    refusal(
      'validation_failed',
      400,
      "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.",
    ),
  overRequestRate: (retryAfterS: number) =>
    limited('over_request_rate_limit', 'Request rate limit reached', retryAfterS),
  overMailRate: (retryAfterS: number) =>
    limited('over_email_send_rate_limit', 'email rate limit exceeded', retryAfterS),
  overTextRate: (retryAfterS: number) => limited('over_sms_send_rate_limit', 'SMS rate limit exceeded', retryAfterS),
  tooManyFailures: (retryAfterS: number) =>
    limited(
      'over_request_rate_limit',
      'Too many wrong attempts: sign in in another way, or set a new password',
      retryAfterS,
    ),
  captchaMissing: () =>
    refusal('captcha_failed', 400, 'captcha protection: request disallowed (no captcha_token found)'),
  captchaFailed: (reasons: string) =>
    refusal('captcha_failed', 400, `captcha protection: request disallowed (${reasons})`),
  captchaUnavailable: (cause: unknown) =>
    new Refusal('unexpected_failure', 500, 'captcha verification process failed', { cause }),
  breachCheckUnavailable: (cause: unknown) =>
    new Refusal('unexpected_failure', 500, 'Unable to perform password strength check with HaveIBeenPwned.org.', {
      cause,
    }),
  /** What a hook says itself. */
  hookRefused: (status: number, message: string) =>
    refusal(status >= 500 ? 'unexpected_failure' : 'unknown', status, message),
  hookFailed: (uri: string, cause: unknown) =>
    new Refusal('unexpected_failure', 500, `Error running hook URI: ${uri}`, { cause }),
  hookTimeout: (timeoutMs: number) =>
    refusal(
      'hook_timeout',
      422,
      `Failed to reach hook within maximum time of ${(timeoutMs / 1000).toFixed(6)} seconds`,
    ),
  hookUnreachable: (cause: unknown) =>
    new Refusal('hook_timeout_after_retry', 422, 'Failed to reach hook after maximum retries', { cause }),
  hookUnavailable: () => refusal('unexpected_failure', 500, 'Service currently unavailable due to hook'),
  hookPayloadTooLarge: (bytesMax: number) =>
    refusal('hook_payload_over_size_limit', 422, `Payload size exceeded size limit of ${bytesMax} bytes`),
  hookContentType: (message: string) => refusal('hook_payload_invalid_content_type', 400, message),
  hookOutputInvalid: (message: string, cause?: unknown) => new Refusal('unexpected_failure', 500, message, { cause }),
  mfaRejected: (message: string) =>
    refusal('mfa_verification_rejected', 403, message || 'Further MFA verification attempts will be rejected.'),
  passwordRejected: (message: string) =>
    refusal('invalid_credentials', 400, message || 'Further password verification attempts will be rejected.'),
  samlDisabled: () => refusal('saml_provider_disabled', 404, 'SAML 2.0 is disabled'),
  web3Disabled: () => refusal('web3_provider_disabled', 422, 'Web3 provider is disabled'),
  unsupportedGrant: () =>
    new Refusal('invalid_request', 400, 'unsupported_grant_type', { facts: { oauth: 'unsupported_grant_type' } }),
  oauth: (error: string, description: string) => new Refusal(error, 400, description, { facts: { oauth: error } }),
  absent: (what: string) =>
    new Refusal('feature_disabled', 501, `${what} is not part of Pando. See docs/compatibility.md.`),
} as const
