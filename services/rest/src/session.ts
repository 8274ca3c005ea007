import type { Catalogue } from '@pando/catalogue/catalogue'
import type { PreConfig } from '@pando/catalogue/load-catalogue'
import type { RestOptions } from './config.ts'
import { settingNames, toEffectiveConfig } from './effective-config.ts'
import { searchPath } from './request-settings.ts'
import type { RestConfig } from './rest-config.ts'

/** The function that declares settings of the database, and which it may declare. */
export const preConfigOf = ({ preConfig }: RestOptions): PreConfig => ({ name: preConfig, settings: settingNames })

/** Whether statements are prepared, given what the database itself declares. */
export function preparesStatements(options: RestOptions, catalogue: Catalogue | undefined): boolean {
  return toEffectiveConfig(options, catalogue?.inDatabaseConfig ?? new Map()).config.preparedStatements
}

/** The schemas that a catalogue must show, given what the database itself declares. */
export function restSchemas(
  options: RestOptions,
  inDatabase: Catalogue['inDatabaseConfig'],
): Pick<RestConfig, 'schemas' | 'extraSearchPath'> {
  return toEffectiveConfig(options, inDatabase).config
}

/** Settings `pgrst.<name>` of the database that have no effect: not understood, or of no option here. */
export function ignoredSettings(options: RestOptions, inDatabase: Catalogue['inDatabaseConfig']): readonly string[] {
  return toEffectiveConfig(options, inDatabase).ignored.map((name) => `pgrst.${name}`)
}

/**
 * `auth.role()`, `auth.email()` and `auth.jwt()` look at these before the claims of the request. Behind a pooler a
 * function may have left them in the session for whoever comes next.
 */
const noOlderClaims = [
  ['request.jwt.claim', ''],
  ['request.jwt.claim.role', ''],
  ['request.jwt.claim.email', ''],
] as const

/** Most requests bring no cookies; they need not say so, as each setting of a request costs Postgres 2 µs. */
const noCookies = ['request.cookies', '{}'] as const

/**
 * What a connection of a role is set up with: the role's own settings, which `set role` does not apply, and the search
 * path of the default schema. Requests for another schema set theirs.
 */
export function restSessionSettings(
  options: RestOptions,
  catalogue: Catalogue | undefined,
  role: string,
): readonly (readonly [name: string, value: string])[] {
  const inDatabase = catalogue?.inDatabaseConfig ?? new Map()
  const { config } = toEffectiveConfig(options, inDatabase)
  const own = catalogue?.roleSettings.get(role) ?? []
  return [...own, ...noOlderClaims, noCookies, ['search_path', searchPath(config.schemas[0] ?? 'public', config)]]
}
