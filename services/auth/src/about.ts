import { enabledTextProviders } from './delivery/text/choose-provider.ts'
import type { AuthDeps } from './deps.ts'
import { providerNames } from './providers/config.ts'
import type { Answer } from './route.ts'

/** `GET /health` */
export async function getHealth(): Promise<Answer> {
  return {
    status: 200,
    body: {
      version: 'pando',
      name: 'GoTrue',
      description: 'Pando answers for GoTrue, the user registration and authentication API',
    },
  }
}

/**
 * `GET /.well-known/jwks.json` (RFC 7517 §5). A copy may be old: who finds a `kid` that is not in it asks again, as
 * OpenID Connect Core §10.1.1 has it.
 */
export async function getJwks({ signer }: AuthDeps): Promise<Answer> {
  return { status: 200, body: { keys: signer.publicKeys() }, headers: { 'cache-control': 'public, max-age=600' } }
}

/** `GET /settings`: what apps may offer at sign-in. */
export async function getSettings({ options, providers }: AuthDeps): Promise<Answer> {
  return {
    status: 200,
    body: {
      external: {
        anonymous_users: options.anonymousEnabled,
        email: options.emailSignupEnabled,
        phone: options.phoneSignupEnabled,
        ...Object.fromEntries(providerNames.map((name) => [name, providers.has(name)])),
      },
      disable_signup: !options.signupEnabled,
      mailer_autoconfirm: !options.emailConfirmations,
      phone_autoconfirm: !options.phoneConfirmations,
      sms_provider: enabledTextProviders(options)[0] ?? '',
      saml_enabled: false,
      saml_private_key_next_configured: false,
      passkeys_enabled: options.passkeysEnabled,
    },
  }
}
