/** Options of passkeys, and of who the app is to all authenticators; members of the service's table. */
export const passkeyOptions = {
  passkeysEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.passkey.enabled',
    text: 'Whether people may sign in with a passkey.',
  },
  passkeysMax: { type: 'integer', default: 10, min: 1, max: 100, text: 'Most passkeys of a person.' },
  passkeyChallengeExpiry: {
    type: 'duration',
    default: 300_000,
    min: 1_000,
    max: 600_000,
    text: 'How long a registration of or sign-in with a passkey may take.',
  },
  webauthnRpId: {
    type: 'string',
    default: null,
    toml: 'auth.webauthn.rp_id',
    text:
      'Domain that security keys and passkeys are bound to; the host of `PANDO_AUTH_SITE_URL` if not given. ' +
      'Those of another domain are lost when it changes.',
  },
  webauthnRpOrigins: {
    type: 'list',
    default: [],
    toml: 'auth.webauthn.rp_origins',
    text:
      'Origins of the pages and apps that may use them, written exactly (`https://app.example`, ' +
      '`android:apk-key-hash:…`); that of `PANDO_AUTH_SITE_URL` if not given.',
  },
  webauthnRpDisplayName: {
    type: 'string',
    default: null,
    toml: 'auth.webauthn.rp_display_name',
    text: 'Name of the app that a device shows; the domain if not given.',
  },
} as const
