import type { Option } from '@pando/config/option'

/** Code of the project that takes part in signing up and in. Each hook has three options, as in `config.toml`. */
export const hookOptions = {
  hookCustomAccessTokenEnabled: enabled('custom_access_token', 'changes the claims of each access token'),
  hookCustomAccessTokenUri: uri('custom_access_token'),
  hookCustomAccessTokenSecrets: secrets('custom_access_token'),
  hookSendEmailEnabled: enabled('send_email', 'sends mails instead of SMTP'),
  hookSendEmailUri: uri('send_email'),
  hookSendEmailSecrets: secrets('send_email'),
  hookSendSmsEnabled: enabled('send_sms', 'sends text messages instead of a provider'),
  hookSendSmsUri: uri('send_sms'),
  hookSendSmsSecrets: secrets('send_sms'),
  hookPasswordVerificationAttemptEnabled: enabled(
    'password_verification_attempt',
    'may refuse a password, right or wrong',
  ),
  hookPasswordVerificationAttemptUri: uri('password_verification_attempt'),
  hookPasswordVerificationAttemptSecrets: secrets('password_verification_attempt'),
  hookMfaVerificationAttemptEnabled: enabled('mfa_verification_attempt', 'may refuse a second factor, right or wrong'),
  hookMfaVerificationAttemptUri: uri('mfa_verification_attempt'),
  hookMfaVerificationAttemptSecrets: secrets('mfa_verification_attempt'),
  hookBeforeUserCreatedEnabled: enabled('before_user_created', 'may refuse a new account'),
  hookBeforeUserCreatedUri: uri('before_user_created'),
  hookBeforeUserCreatedSecrets: secrets('before_user_created'),
} as const satisfies Readonly<Record<string, Option>>

function enabled<const Name extends string>(hook: Name, what: string) {
  return {
    type: 'boolean',
    default: false,
    toml: `auth.hook.${hook}.enabled`,
    text: `Whether the hook \`${hook}\` is asked: it ${what}.`,
  } as const
}

function uri<const Name extends string>(hook: Name) {
  return {
    type: 'string',
    default: null,
    toml: `auth.hook.${hook}.uri`,
    text: 'Where the hook is: `pg-functions://postgres/<schema>/<function>` or `https://…`.',
  } as const
}

function secrets<const Name extends string>(hook: Name) {
  return {
    type: 'secret',
    default: null,
    toml: `auth.hook.${hook}.secrets`,
    text: 'Secrets that sign calls over HTTPS (Standard Webhooks): `v1,whsec_…`, several with `|` between while one replaces another.',
  } as const
}
