import { options, type Values } from '@pando/config/options'
import { attestationOptions } from './attestation/config.ts'
import { captchaOptions } from './captcha/config.ts'
import { deliveryOptions } from './delivery/config.ts'
import { factorOptions } from './factors/config.ts'
import { hookOptions } from './hooks/config.ts'
import { limitOptions } from './limits/config.ts'
import { oneTimeOptions } from './one-time/config.ts'
import { passkeyOptions } from './passkeys/config.ts'
import { externalOptions } from './providers/config.ts'
import { breachOptions } from './passwords/breach-config.ts'

/** The auth service's options. Where an existing `config.toml` has one, name and meaning are its own. */
export const authOptions = options({
  prefix: 'auth',
  text: 'Accounts and sessions (`/auth/v1`).',
  options: {
    siteUrl: {
      type: 'url',
      default: 'http://127.0.0.1:3000',
      toml: 'auth.site_url',
      text: 'Where people land after a link in a mail or a sign-in at a provider, unless the app asks for one of `PANDO_AUTH_REDIRECT_URLS`.',
    },
    redirectUrls: {
      type: 'list',
      default: [],
      toml: 'auth.additional_redirect_urls',
      text: 'Further addresses that an app may ask to be sent back to; `*` stands for a part of a host or path, `**` for any rest.',
    },
    jwtExpiry: {
      type: 'duration',
      default: 3_600_000,
      min: 1_000,
      max: 604_800_000,
      unit: 's',
      toml: 'auth.jwt_expiry',
      text: 'How long an access token is good; a bare number is seconds.',
    },
    jwtIssuer: {
      type: 'string',
      default: null,
      toml: 'auth.jwt_issuer',
      text: 'Claim `iss` of access tokens; the address of `/auth/v1` if not given.',
    },
    secret: {
      type: 'secret',
      default: null,
      bytesMin: 32,
      text:
        'Secret that keys for data at rest (of authenticator apps, codes) are derived from; the JWT secret or signing keys ' +
        'if not given. Before you change those, set it to the old one (the member `d` of a signing key).',
    },
    bodyBytesMax: { type: 'bytes', default: 1024 * 1024, min: 1024, text: 'Largest request body.' },
    connectionsMax: { type: 'integer', default: 10, min: 1, text: 'Most connections to Postgres for accounts.' },
    signupEnabled: {
      type: 'boolean',
      default: true,
      toml: 'auth.enable_signup',
      text: 'Whether new accounts may be made.',
    },
    anonymousEnabled: {
      type: 'boolean',
      default: false,
      toml: 'auth.enable_anonymous_sign_ins',
      text: 'Whether people may begin without an account.',
    },
    manualLinkingEnabled: {
      type: 'boolean',
      default: false,
      toml: 'auth.enable_manual_linking',
      text: 'Whether a signed-in person may add another way to sign in.',
    },
    emailSignupEnabled: {
      type: 'boolean',
      default: true,
      toml: 'auth.email.enable_signup',
      text: 'Whether accounts with an e-mail address may be made and used.',
    },
    emailConfirmations: {
      type: 'boolean',
      default: false,
      toml: 'auth.email.enable_confirmations',
      text: 'Whether an e-mail address must be confirmed before its account can be used.',
    },
    emailDoubleConfirm: {
      type: 'boolean',
      default: true,
      toml: 'auth.email.double_confirm_changes',
      text: 'Whether a change of address is confirmed at the old and at the new one.',
    },
    emailFrequency: {
      type: 'duration',
      default: 60_000,
      min: 0,
      toml: 'auth.email.max_frequency',
      text: 'Shortest time between two mails of a kind to one person.',
    },
    emailOtpLength: {
      type: 'integer',
      default: 6,
      min: 6,
      max: 10,
      toml: 'auth.email.otp_length',
      text: 'Digits of a code in a mail.',
    },
    emailOtpExpiry: {
      type: 'duration',
      default: 600_000,
      min: 1_000,
      max: 86_400_000,
      unit: 's',
      toml: 'auth.email.otp_expiry',
      text: 'How long codes and links in mails are good; a bare number is seconds.',
    },
    phoneSignupEnabled: {
      type: 'boolean',
      default: false,
      toml: 'auth.sms.enable_signup',
      text: 'Whether accounts with a phone number may be made and used.',
    },
    phoneConfirmations: {
      type: 'boolean',
      default: false,
      toml: 'auth.sms.enable_confirmations',
      text: 'Whether a phone number must be confirmed before its account can be used.',
    },
    passwordLengthMin: {
      type: 'integer',
      default: 8,
      min: 6,
      max: 64,
      toml: 'auth.minimum_password_length',
      text: 'Fewest characters of a password.',
    },
    passwordRequirements: {
      type: 'enum',
      values: ['', 'letters_digits', 'lower_upper_letters_digits', 'lower_upper_letters_digits_symbols'],
      default: '',
      toml: 'auth.password_requirements',
      text: 'Kinds of characters that each password must have; none by default, as NIST SP 800-63B advises.',
    },
    passwordWords: {
      type: 'list',
      default: [],
      toml: 'auth.password_words',
      text:
        'Words that somebody would try who knows the app: its name, the company, the place. In a new password each counts as ' +
        'one character, in upper and lower case.',
    },
    passwordMemory: {
      type: 'bytes',
      default: 19 * 1024 ** 2,
      min: 8 * 1024 ** 2,
      max: 1024 ** 3,
      text: 'Memory that hashing one password takes (argon2id). With the passes it makes a copy of the table expensive to try.',
    },
    passwordPasses: { type: 'integer', default: 2, min: 1, max: 20, text: 'Passes over that memory (argon2id).' },
    passwordThreads: {
      type: 'integer',
      default: null,
      min: 1,
      max: 64,
      text: 'Most threads that hash passwords, at the lowest priority; one per core if not given.',
    },
    passwordQueueMax: {
      type: 'integer',
      default: 64,
      min: 0,
      text: 'Most passwords that wait to be hashed; the next sign-in is told to come back in a moment.',
    },
    passwordWaitMax: {
      type: 'duration',
      default: 2_000,
      text: 'How long a password may probably have to wait to be hashed; above, a sign-in is told to come back in a moment.',
    },
    refreshTokenRotation: {
      type: 'boolean',
      default: true,
      toml: 'auth.enable_refresh_token_rotation',
      text: 'Whether an old refresh token that comes back ends its session.',
    },
    refreshTokenReuseInterval: {
      type: 'duration',
      default: 10_000,
      min: 0,
      max: 300_000,
      unit: 's',
      toml: 'auth.refresh_token_reuse_interval',
      text: 'How long after a refresh older tokens of the session still get the new one; a bare number is seconds.',
    },
    sessionTimebox: {
      type: 'duration',
      default: 0,
      min: 0,
      toml: 'auth.sessions.timebox',
      text: 'A session ends after this, however it is used; 0 is never.',
    },
    sessionInactivityTimeout: {
      type: 'duration',
      default: 0,
      min: 0,
      toml: 'auth.sessions.inactivity_timeout',
      text: 'A session that is not refreshed for this long ends; 0 is never.',
    },
    singleSessionPerUser: {
      type: 'boolean',
      default: false,
      toml: 'auth.sessions.single_per_user',
      text: 'Whether only the session that a person used last goes on.',
    },
    ...attestationOptions,
    ...breachOptions,
    ...captchaOptions,
    ...deliveryOptions,
    ...factorOptions,
    ...hookOptions,
    ...limitOptions,
    ...oneTimeOptions,
    ...passkeyOptions,
    ...externalOptions,
  },
})

export type AuthOptions = Values<typeof authOptions>
