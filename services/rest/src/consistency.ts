import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { Consistency } from '@pando/postgres/exchange'
import { beyondEveryLsn, parseLsn, printLsn, type Lsn } from '@pando/postgres/lsn'
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'

/** Named in the answer to a write, and by a caller who wants no less than what that answer left behind. */
export const commitHeader = 'Pando-Commit'

export type ReplicaDeps = {
  readonly clock: Clock
  /** What was written longer ago, every replica that answers has replayed. */
  readonly lagMsMax: number
}

/**
 * What a caller is never shown less of: what they wrote, whoever they are by `sub`, or what anybody wrote who is no more
 * than the same role; and what they show to know of. What is shown and cannot be read means the newest there is, and so
 * does a token as new as an account may be, whose rows another service has written.
 */
export function toConsistency(
  { clock, lagMsMax }: ReplicaDeps,
  caller: Caller,
  shown: string | undefined,
): Consistency {
  const sinceMs = clock.now() - Number(caller.claims['iat'] ?? 0) * 1_000
  return {
    caller: nameOfCaller(caller),
    atLeast: sinceMs <= lagMsMax ? beyondEveryLsn : toPlace(shown),
  }
}

/** Of a request, where callers must be shown what they wrote. */
export function consistencyOf(
  replicas: ReplicaDeps | undefined,
  { caller, raw }: { readonly caller: Caller; readonly raw: IncomingMessage },
): Consistency | undefined {
  return replicas && toConsistency(replicas, caller, raw.headers[shownCommit]?.toString())
}

const shownCommit = commitHeader.toLowerCase()

/** Equal for all requests that see each other's writes. */
export function nameOfCaller({ role, claims }: Caller): string {
  return typeof claims.sub === 'string' ? claims.sub : `role ${role}`
}

function toPlace(shown: string | undefined): Lsn | undefined {
  return shown === undefined ? undefined : (parseLsn(shown) ?? beyondEveryLsn)
}

/** The answer with the place of what its request wrote. */
export function withCommit(answer: Answer, consistency: Consistency | undefined): Answer {
  if (consistency?.committed === undefined) return answer
  return { ...answer, headers: { ...answer.headers, [commitHeader]: printLsn(consistency.committed) } }
}
