import { parseReplay, type Replay } from '../messages/find-messages.ts'
import type { Permissions } from '../private/permissions.ts'
import type { JoinRequest } from '../wire/parse-join.ts'
import { JoinRejection } from './join-rejection.ts'

/** What somebody wants to hear from before they came; throws when they may not. */
export function toReplay(
  { isPrivate, broadcast }: JoinRequest,
  permissions: Permissions | undefined,
): Replay | undefined {
  if (broadcast.replay === undefined) return undefined
  if (!isPrivate) throw new JoinRejection('UnableToReplayMessages', 'Replay is not allowed for public channels')
  if (permissions?.broadcast.read !== true)
    throw new JoinRejection('Unauthorized', 'Replay needs the permission to read')
  const replay = parseReplay(broadcast.replay)
  if (replay === undefined) throw new JoinRejection('UnableToReplayMessages', 'Replay params are not valid')
  return replay
}
