import { toClaimsKey, toPolicyClaims } from '@pando/catalogue/policies/policy-claims'
import type { Caller } from '@pando/core/caller'
import type { Readable } from './analysis.ts'
import type { CachedRead } from './cached-read.ts'

/** Of requests whose callers the policies cannot tell apart. Both parts are JSON, which says itself where it ends. */
export function createKeys(): (asked: CachedRead, analysis: Readable) => string {
  const known = new WeakMap<Caller, WeakMap<Readable, string>>()
  const claimsOf = (caller: Caller, analysis: Readable): string => {
    let keys = known.get(caller)
    if (keys === undefined) known.set(caller, (keys = new WeakMap()))
    let key = keys.get(analysis)
    if (key === undefined) keys.set(analysis, (key = toClaimsKey(caller, toPolicyClaims(caller), analysis.claims)))
    return key
  }
  return ({ name, caller }, analysis) => claimsOf(caller, analysis) + name
}
