import type { BooleanOption, ListOption, SecretOption, StringOption, UrlOption } from '@pando/config/option'

/**
 * The providers that are known by name; any other issuer of OpenID Connect is configured under `auth.external.oidc`.
 */
export const providerNames = [
  'apple',
  'azure',
  'bitbucket',
  'discord',
  'facebook',
  'figma',
  'github',
  'gitlab',
  'google',
  'kakao',
  'keycloak',
  'linkedin_oidc',
  'notion',
  'slack_oidc',
  'spotify',
  'twitch',
  'twitter',
  'x',
  'zoom',
] as const
export type ProviderName = (typeof providerNames)[number]

type Pascal<Text extends string> = Text extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<Text>

/** The beginning of the names of a provider's options: `externalLinkedinOidc`. */
type Prefix<Name extends string> = `external${Pascal<Name>}`

export function optionPrefix<Name extends ProviderName>(name: Name): Prefix<Name> {
  const pascal = name
    .split('_')
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('')
  return `external${pascal}` as Prefix<Name>
}

type OptionalUrl = UrlOption & { readonly default: null }
type ProviderOptions = { readonly [Name in ProviderName as `${Prefix<Name>}Enabled`]: BooleanOption } & {
  readonly [Name in ProviderName as `${Prefix<Name>}ClientId`]: ListOption
} & { readonly [Name in ProviderName as `${Prefix<Name>}Secret`]: SecretOption } & {
  readonly [Name in ProviderName as `${Prefix<Name>}RedirectUri` | `${Prefix<Name>}Url`]: OptionalUrl
} & {
  readonly [Name in ProviderName as `${Prefix<Name>}SkipNonceCheck` | `${Prefix<Name>}EmailOptional`]: BooleanOption
}

const texts = {
  enabled: 'Whether people may sign in there.',
  clientId: 'Our id there; further ones are those of native apps, for which ID tokens are also accepted.',
  secret: 'Our secret there.',
  redirectUri: 'Where people come back to; `/auth/v1/callback` of the API if not given.',
  url: 'Its address, where it is not the usual one: a server of your own, or your tenant.',
  skipNonceCheck: 'Whether ID tokens from native apps are accepted whatever their nonce; replays then go unnoticed.',
  emailOptional: 'Whether people may come without an e-mail address.',
}

function optionsOf(name: ProviderName): Readonly<Record<string, unknown>> {
  const prefix = optionPrefix(name)
  const at = (member: string, text: string) => ({ toml: `auth.external.${name}.${member}`, text: `${name}: ${text}` })
  return {
    [`${prefix}Enabled`]: { type: 'boolean', default: false, ...at('enabled', texts.enabled) },
    [`${prefix}ClientId`]: { type: 'list', default: [], ...at('client_id', texts.clientId) },
    [`${prefix}Secret`]: { type: 'secret', default: null, ...at('secret', texts.secret) },
    [`${prefix}RedirectUri`]: { type: 'url', default: null, ...at('redirect_uri', texts.redirectUri) },
    [`${prefix}Url`]: { type: 'url', default: null, ...at('url', texts.url) },
    [`${prefix}SkipNonceCheck`]: { type: 'boolean', default: false, ...at('skip_nonce_check', texts.skipNonceCheck) },
    [`${prefix}EmailOptional`]: { type: 'boolean', default: false, ...at('email_optional', texts.emailOptional) },
  }
}

const optionalText = { type: 'string', default: null } as const satisfies Partial<StringOption>

/** The options of signing in at other providers, as `[auth.external.<name>]` in an existing `config.toml` has them. */
export const externalOptions = {
  ...(Object.assign({}, ...providerNames.map(optionsOf)) as ProviderOptions),
  externalAppleTeamId: {
    ...optionalText,
    toml: 'auth.external.apple.team_id',
    text: 'apple: Our team. With it and the key id, the secret is the private key (PEM) and never expires.',
  },
  externalAppleKeyId: {
    ...optionalText,
    toml: 'auth.external.apple.key_id',
    text: 'apple: Id of that private key.',
  },
  externalOidc: {
    type: 'tables',
    default: [],
    toml: 'auth.external.oidc',
    text: 'Any other issuers of OpenID Connect; apps ask for them as `custom:<name>`.',
    members: {
      name: { type: 'string', default: null, required: true, text: 'Small letters, digits and `-`.' },
      issuer: {
        type: 'url',
        default: null,
        required: true,
        text: 'Exactly the `iss` of its ID tokens; https, on loopback also http.',
      },
      clientId: { type: 'list', default: [], required: true, text: texts.clientId },
      secret: { type: 'secret', default: null, text: 'Our secret there; without one we are a public client.' },
      scopes: { type: 'list', default: ['openid', 'email', 'profile'], text: 'What we ask for.' },
      redirectUri: { type: 'url', default: null, text: texts.redirectUri },
      skipNonceCheck: { type: 'boolean', default: false, text: texts.skipNonceCheck },
      emailOptional: { type: 'boolean', default: false, text: texts.emailOptional },
    },
  },
  externalFlowExpiry: {
    type: 'duration',
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    text: 'How long somebody may be away at a provider.',
  },
} as const
