/** Functions of the request's claims; only those whose source is the one we know are named. */
export type ClaimFunction = 'uid' | 'role' | 'email' | 'jwt'

const ofRequest = (claim: string, rest: string): string =>
  `select coalesce( nullif(pg_catalog.current_setting('request.jwt.claim${claim}', true), ''), ` +
  `nullif(pg_catalog.current_setting('request.jwt.claims', true), '')${rest}`

/**
 * Sources whose meaning is known here, spaces aside. A function that somebody replaced is not taken for what its name
 * says: policies that call it are left to Postgres.
 */
const sources: Readonly<Record<ClaimFunction, string>> = {
  uid: `${ofRequest('.sub', `::json ->> 'sub'`)} )::uuid`,
  role: `${ofRequest('.role', `::json ->> 'role'`)} )`,
  email: `${ofRequest('.email', `::json ->> 'email'`)} )`,
  jwt: `${ofRequest('', '')} )::jsonb`,
}

/** Which of the functions in schema `auth` have the source that we know. */
export function toClaimFunctions(found: Readonly<Record<string, string>>): readonly ClaimFunction[] {
  const names = Object.keys(sources) as ClaimFunction[]
  return names.filter((name) => found[name]?.trim().replaceAll(/\s+/g, ' ') === sources[name])
}
