import type { Caller } from '@pando/core/caller'

/** The claims of a caller, as far as they mean the same here and in Postgres. */
export type PolicyClaims = { readonly members: Readonly<Record<string, unknown>> | undefined }

/**
 * Reads the claims as Postgres is given them. `members` is undefined when this text cannot be trusted to mean the same to
 * both: doubled names, numbers written in other ways, characters that jsonb refuses.
 */
export function toPolicyClaims({ claims, claimsJson }: Pick<Caller, 'claims' | 'claimsJson'>): PolicyClaims {
  const isSame = JSON.stringify(claims) === claimsJson
  return { members: isSame && !/\\u(?:0000|d[89a-f])/i.test(claimsJson) ? claims : undefined }
}

/**
 * A text that is equal for callers whom policies cannot tell apart that look at these claims; roles are told apart before.
 * Claims that mean something else to Postgres are compared as the text that Postgres gets.
 */
export function toClaimsKey(
  { claimsJson }: Pick<Caller, 'claimsJson'>,
  { members }: PolicyClaims,
  names: ReadonlySet<string> | 'all',
): string {
  if (names === 'all') return claimsJson
  if (names.size === 0) return '[]'
  if (members === undefined) return claimsJson
  return JSON.stringify(Array.from(names, (name) => (Object.hasOwn(members, name) ? [members[name]] : [])))
}
