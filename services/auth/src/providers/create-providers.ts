import { ConfigurationError } from '@pando/config/read-configuration'
import type { Clock } from '@pando/core/clock'
import { createIssuerKeys, type IssuerLimits } from '@pando/http/auth/issuer-keys'
import type { AuthOptions } from '../config.ts'
import { createAppleSecret, isPem } from './apple-secret.ts'
import { catalogue } from './catalogue.ts'
import { optionPrefix, type ProviderName, providerNames } from './config.ts'
import type { Endpoints } from './definition.ts'
import { createMetadata } from './metadata.ts'
import { openId } from './open-id.ts'
import type { Provider, Providers } from './provider.ts'

export type ProvidersDeps = { readonly options: AuthOptions; readonly clock: Clock; readonly limits: IssuerLimits }

type Settings = Omit<Provider, 'issuer' | 'metadata' | 'bounds'>

/** The providers that the configuration enables. Throws one `ConfigurationError` with all mistakes. */
export function createProviders(deps: ProvidersDeps): Providers {
  const mistakes: string[] = []
  const named = providerNames.filter((name) => deps.options[`${optionPrefix(name)}Enabled`])
  const settings = [
    ...named.map((name) => readNamed(deps, name, mistakes)),
    ...deps.options.externalOidc.map((table) => readOidc(table, mistakes)),
  ]
  for (const each of settings) mistakes.push(...mistakesOf(each))
  for (const [name, same] of Map.groupBy(settings, (each) => each.name))
    if (same.length > 1) mistakes.push(`auth.external.oidc names ${name} ${same.length} times`)
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return new Map(settings.map((each) => [each.name, toProvider(each, deps)]))
}

function readNamed({ options, clock }: ProvidersDeps, name: ProviderName, mistakes: string[]): Settings {
  const prefix = optionPrefix(name)
  const secret = options[`${prefix}Secret`]?.reveal() ?? ''
  const url = options[`${prefix}Url`] ?? undefined
  const definition = catalogue[name]
  // Apps that bring ID tokens need none.
  if (secret === '' && definition.idToken === undefined)
    mistakes.push(`auth.external.${name}.secret is missing, but ${name} is enabled`)
  return {
    name,
    definition,
    secretMissing: secret === '',
    clientIds: options[`${prefix}ClientId`],
    secret:
      name === 'apple' && isPem(secret) ? readAppleKey({ options, clock, pem: secret }, mistakes) : async () => secret,
    redirectUri: options[`${prefix}RedirectUri`] ?? undefined,
    url,
    skipNonceCheck: options[`${prefix}SkipNonceCheck`],
    emailOptional: options[`${prefix}EmailOptional`],
  }
}

type PemSource = { readonly options: AuthOptions; readonly clock: Clock; readonly pem: string }

function readAppleKey({ options, clock, pem }: PemSource, mistakes: string[]): Provider['secret'] {
  const { externalAppleTeamId: teamId, externalAppleKeyId: keyId } = options
  const absent = async () => ''
  if (!teamId || !keyId) {
    mistakes.push('auth.external.apple.secret is a private key, which needs team_id and key_id beside it')
    return absent
  }
  try {
    return createAppleSecret({ teamId, keyId, pem }, clock)
  } catch {
    // The reason could quote the key.
    mistakes.push('auth.external.apple.secret cannot be read; it must be the private key that Apple gave, in PEM')
    return absent
  }
}

function readOidc(table: AuthOptions['externalOidc'][number], mistakes: string[]): Settings {
  if (!/^[a-z0-9][a-z0-9-]{0,47}$/.test(table.name))
    mistakes.push(`auth.external.oidc has the name ${JSON.stringify(table.name)}; use small letters, digits and -`)
  return {
    name: `custom:${table.name}`,
    definition: openId(table.issuer, table.scopes),
    secretMissing: false,
    clientIds: table.clientId,
    secret: async () => table.secret?.reveal() ?? '',
    redirectUri: table.redirectUri ?? undefined,
    url: table.issuer,
    skipNonceCheck: table.skipNonceCheck,
    emailOptional: table.emailOptional,
  }
}

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

function mistakesOf({ name, clientIds, url, definition }: Settings): string[] {
  const place = name.startsWith('custom:') ? `auth.external.oidc (${name.slice(7)})` : `auth.external.${name}`
  const mistakes = clientIds.length === 0 ? [`${place}.client_id is missing, but ${name} is enabled`] : []
  if (url === undefined) return definition.urlRequired ? [...mistakes, `${place}.url is missing`] : mistakes
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || loopback.test(hostname)) return mistakes
  return [...mistakes, `${place}: ${url} must be https; plain http is for loopback`]
}

function toProvider(settings: Settings, { clock, limits }: ProvidersDeps): Provider {
  const { definition, url } = settings
  const rules = definition.idToken
  const issuer = rules?.issuer(url)
  const endpoints = definition.endpoints?.(url)
  const metadata = endpoints === undefined ? createMetadata(issuer!, clock, limits) : async () => toMetadata(endpoints)
  if (rules === undefined || issuer === undefined) return { ...settings, metadata, bounds: limits, issuer: undefined }
  const keys = createIssuerKeys({ issuer, jwksUrl: rules.jwksUrl?.(url) }, clock, limits)
  return { ...settings, metadata, bounds: limits, issuer: { name: issuer, keys } }
}

/** What stands in the table names no issuer of authorization responses. */
const toMetadata = ({ authorization, token }: Endpoints) => ({
  issuer: new URL(authorization).origin,
  authorization_endpoint: authorization,
  token_endpoint: token,
})
