import type { Catalogue } from '@pando/catalogue/catalogue'
import type { PreConfig } from '@pando/catalogue/load-catalogue'
import type { RestOptions } from './config.ts'
import { settingNames } from './effective-config.ts'
import { searchPath } from './request-settings.ts'
import type { RestConfig } from './rest-config.ts'

/** The function that declares settings of the database, and which it may declare. */
export const preConfigOf = ({ preConfig }: RestOptions): PreConfig => ({ name: preConfig, settings: settingNames })

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
  config: RestConfig,
  catalogue: Catalogue | undefined,
  role: string,
): readonly (readonly [name: string, value: string])[] {
  const own = catalogue?.roleSettings.get(role) ?? []
  return [...own, ...noOlderClaims, noCookies, ['search_path', searchPath(config.schemas[0] ?? 'public', config)]]
}
