import type { RealtimeDeps } from '../deps.ts'
import { takeOne } from '../sockets/allowance.ts'
import type { FollowChanges } from './follow-changes.ts'
import { identify } from './identify.ts'
import { JoinRejection, toReason } from './join-rejection.ts'
import { mayHear, maySeePresence, type Member } from './member.ts'
import type { Members } from './members.ts'
import { permissionsOf } from './permissions-of.ts'

export type ChangeTokenDeps = Pick<RealtimeDeps, 'authenticate' | 'clock' | 'database' | 'logger' | 'options'> & {
  readonly members: Members
  readonly changes: FollowChanges | undefined
}

/** A member that is in its channel has a new token: the policies are asked again, as whom it names. */
export async function changeToken(deps: ChangeTokenDeps, member: Member, payload: unknown): Promise<void> {
  const { clock, database, logger, members, options } = deps
  const { access_token: token } = payload as { access_token?: unknown }
  if (typeof token !== 'string' || token.startsWith('sb_') || token === (member.asking ?? member.token)) return
  if (!takeOne(member.client.joins, options.joinsPerSecondMax, clock.monotonic()))
    return members.shutDown(member, 'Too many access tokens per second')
  member.asking = token
  /** It left meanwhile, or sent another. */
  const isOver = (): boolean => !member.topic.members.has(member) || member.asking !== token
  try {
    const identity = await identify(deps, member.client, token)
    const permissions = await permissionsOf(database, member.topic, identity)
    // What was asked of the database took a while: the session may have ended.
    await identify(deps, member.client, token)
    if (isOver()) return
    member.asking = undefined
    const { permissions: before } = member
    const [heard, saw] = [before?.broadcast.read === true, before?.presence.read === true]
    members.enter(member, identity, permissions)
    deps.changes?.changeCaller(member)
    if ((heard && !mayHear(member)) || (saw && !maySeePresence(member)))
      members.shutDown(member, `You no longer have permission to read from this Channel topic: ${member.topic.name}`)
  } catch (error) {
    if (isOver()) return
    members.shutDown(member, error instanceof JoinRejection ? error.message : toReason(error, logger))
  }
}
