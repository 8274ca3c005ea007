import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import type { FlowStateRow } from '../store/flow-states.ts'
import { keepAwaitedIdentity } from '../store/provider-states.ts'
import type { UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { linkIdentity } from './link-identity.ts'
import type { Profile } from './profile.ts'

/** An identity that waits for the app that asked for it. */
export type AwaitedIdentity = { readonly provider: string; readonly profile: Profile }

/**
 * Keeps an identity until the app shows its verifier (RFC 7636). Anybody can be led to the provider with the address
 * that the app got; without this theirs would be added to a stranger's account.
 */
export const keepForClaim = (tx: Queries, flowId: string, { provider, profile }: AwaitedIdentity): Promise<void> =>
  keepAwaitedIdentity(tx, flowId, { provider, profile })

/** The app has shown its verifier: adds the identity that waited in its flow, if one did. */
export async function claimIdentity(
  deps: AuthDeps,
  tx: Queries,
  { flow, visit }: { flow: FlowStateRow; visit: Visit },
): Promise<UserRow | undefined> {
  const { linking_target_id: userId, awaited_identity: awaited } = flow
  if (userId === null || awaited === null) return undefined
  return linkIdentity(deps, tx, { userId, ...awaited, visit })
}
