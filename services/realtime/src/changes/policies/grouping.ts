import type { Caller } from '@pando/core/caller'
import type { Dependencies } from '@pando/catalogue/policies/dependencies'
import { type PolicyClaims, toClaimsKey, toPolicyClaims } from '@pando/catalogue/policies/policy-claims'

/** Callers whom the policies of one table cannot tell apart: one object for all of them. */
export type ClaimsGroup = { readonly caller: Caller; readonly claims: PolicyClaims }

/** Groups of one table that are known at once; above it they are found anew. */
const groupsMax = 100_000

/** Finds the group of a caller; roles are told apart before. */
export function createGrouping(dependencies: Dependencies): (caller: Caller) => ClaimsGroup {
  const byCaller = new WeakMap<Caller, ClaimsGroup>()
  const byKey = new Map<string, ClaimsGroup>()
  return (caller) => {
    const known = byCaller.get(caller)
    if (known !== undefined) return known
    const claims = toPolicyClaims(caller)
    const key = toClaimsKey(caller, claims, dependencies.claims)
    const group = byKey.get(key) ?? { caller, claims }
    if (byKey.size >= groupsMax) byKey.clear()
    byKey.set(key, group)
    byCaller.set(caller, group)
    return group
  }
}
