import type { Caller } from '@pando/core/caller'
import type { Permissions } from '../private/permissions.ts'
import type { Client } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import type { JoinRequest } from '../wire/parse-join.ts'
import type { Following } from './follow-changes.ts'
import type { Extension } from './replies.ts'
import type { Topic } from './topics.ts'

/** A client in a channel. */
export type Member = {
  readonly client: Client
  /** Until it has entered one of its own, that nobody else knows. */
  topic: Topic
  /** As the client writes it: `realtime:` and the name. */
  readonly address: string
  readonly joinRef: string | null
  /** Whether it hears its own messages, and whether each is acknowledged. */
  readonly self: boolean
  readonly ack: boolean
  /** The token that counts now, and who it names. */
  token: string | undefined
  caller: Caller
  /** When that token is over, seconds since the epoch; undefined for a key, which has no end. */
  expiresAt: number | undefined
  /** What the policies of a private channel allow; undefined in a public one. */
  permissions: Permissions | undefined
  presence: MemberPresence
  /** The newest token that it has sent and that is looked at just now. */
  asking: string | undefined
  /** What it follows in the log, from when it has entered. */
  changes: Following | undefined
  /** Of what it follows, that of which it misses something just now. */
  missing: Set<Extension> | undefined
}

export type MemberPresence = {
  /** Whether it wants to hear who is there. */
  enabled: boolean
  readonly key: string
  /** What it tracks now: the name of this state, and its payload. */
  tracked: { readonly ref: string; readonly json: string } | undefined
  /** It was not told of all changes; it is told who is there instead. */
  isBehind: boolean
  calls: number
  windowEndsMs: number
}

type NewMember = {
  readonly client: Client
  readonly message: ClientMessage
  readonly request: JoinRequest
  readonly topic: Topic
}

/** Somebody who asks to join: as yet nobody that the policies know. */
export function newMember({ client, message, request, topic }: NewMember): Member {
  const { broadcast, presence } = request
  return {
    client,
    topic,
    address: message.topic,
    joinRef: message.joinRef ?? message.ref,
    self: broadcast.self,
    ack: broadcast.ack,
    token: undefined,
    caller: client.caller,
    expiresAt: undefined,
    permissions: undefined,
    presence: {
      enabled: presence.enabled,
      key: presence.key === '' ? crypto.randomUUID() : presence.key,
      tracked: undefined,
      isBehind: false,
      calls: 0,
      windowEndsMs: 0,
    },
    asking: undefined,
    changes: undefined,
    missing: undefined,
  }
}

export const mayHear = ({ permissions }: Member): boolean => permissions === undefined || permissions.broadcast.read

export const maySeePresence = ({ permissions }: Member): boolean =>
  permissions === undefined || permissions.presence.read
