import type { Catalogue } from '@pando/catalogue/catalogue'
import { parseClaimPath } from '@pando/http/auth/claim-path'
import { parseJwtSecret, type TokenRules } from '@pando/http/auth/token-rules'
import { parseCount, parseFlag, parseText } from './parse-setting.ts'

/** Settings of the database that say who is believed to be whom. */
export const tokenSettings = [
  'db_anon_role',
  'jwt_aud',
  'jwt_cache_max_entries',
  'jwt_role_claim_key',
  'jwt_secret',
  'jwt_secret_is_base64',
] as const

export type ReadToken = <T>(
  name: (typeof tokenSettings)[number],
  parse: (text: string) => T | undefined,
  otherwise?: T,
) => T | undefined

/** What the database says of tokens; undefined where it says nothing. */
export function tokenRulesOf(inDatabase: Catalogue['inDatabaseConfig'], read: ReadToken): TokenRules | undefined {
  if (!tokenSettings.some((name) => inDatabase.has(name))) return undefined
  const isBase64 = read('jwt_secret_is_base64', parseFlag, false)!
  const values = {
    anonRole: read('db_anon_role', parseText),
    audience: read('jwt_aud', parseText),
    cachedTokensMax: read('jwt_cache_max_entries', parseCacheSize),
    roleClaimKey: read('jwt_role_claim_key', (text) => (parseClaimPath(text) === undefined ? undefined : text)),
  }
  const said = Object.entries(values).filter(([, value]) => value !== undefined)
  return { values: Object.fromEntries(said), keys: read('jwt_secret', (text) => keysIn(text, isBase64), [])! }
}

/** Where no token is to be remembered, the last one is. */
function parseCacheSize(text: string): number | undefined {
  const count = parseCount(text)
  return count === undefined ? undefined : Math.max(1, count)
}

/** Undefined where one of them must not be used. */
function keysIn(text: string, isBase64: boolean): TokenRules['keys'] | undefined {
  try {
    return parseJwtSecret(text, isBase64)
  } catch {
    return undefined
  }
}
