import type { PassedOn } from '../broadcast/line-broadcast.ts'
import { type Publishing, publish } from '../broadcast/publish.ts'
import type { RealtimeDeps } from '../deps.ts'
import type { Documents } from '../documents/documents.ts'
import { createPresence } from '../presence/create-presence.ts'
import { takeOne } from '../sockets/allowance.ts'
import type { Client } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { changeToken } from './change-token.ts'
import { createFleet } from './fleet.ts'
import type { FollowChanges } from './follow-changes.ts'
import { createJoin } from './join.ts'
import type { Lines } from './lines.ts'
import type { Member } from './member.ts'
import { createMembers } from './members.ts'
import { refuse, reply, tellClosed } from './replies.ts'
import type { Topic, TopicName, Topics } from './topics.ts'

export type Channels = {
  readonly topics: Topics
  readonly publishing: Publishing
  /** Does what a client says in a message of so many bytes. */
  handle(client: Client, message: ClientMessage, bytes: number): void
  /** Sends a message to all members of a topic, here and on other nodes. */
  send(topic: TopicName, sent: PassedOn): void
  /** Takes a client that is gone out of all its channels. */
  leaveAll(client: Client): void
  /** Each second or so: ends the channels whose token is over, and looks after what other nodes know. */
  look(): void
  endSession(sessionId: string): void
  stop(): void
}

/** Of a node that reads no changes, `changes` is undefined; of one that is never one of several, `bus` and `lines`. */
export type ChannelsDeps = Omit<RealtimeDeps, 'changes'> & {
  readonly changes: FollowChanges | undefined
  readonly documents: Documents
  readonly topics: Topics
  readonly lines: Lines | undefined
}

/** What happens in channels: who is in which, and what members say. */
export function createChannels(deps: ChannelsDeps, publishing: Publishing): Channels {
  const { bus, clock, documents, lines, options, topics } = deps
  const onBroadcast = (topic: Topic, sent: PassedOn): void => publish(publishing, topic, sent)
  const onPresences = (topic: Topic): void => presence.tell(topic)
  const fleet = bus && lines && createFleet({ ...deps, bus, lines, onBroadcast, onPresences })
  const members = createMembers({
    clock,
    topics,
    onLeave: (member) => {
      presence.forget(member)
      documents.leave(member)
    },
  })
  const presence = createPresence({
    options,
    clock,
    shutDown: members.shutDown,
    nodeId: bus?.nodeId,
    onChanged: (topic, change) => fleet?.tellPresence(topic, change),
  })
  const join = createJoin({ ...deps, fleet, members, presence, publishing })

  function handle(client: Client, message: ClientMessage, bytes: number): void {
    const { topic, event } = message
    if (topic === 'phoenix' && event === 'heartbeat') {
      // A log in which nothing happens moves on too, and whoever comes back names a place that is still known.
      return reply(client, message, 'ok', { cursor: deps.changes?.settledCursor(client) })
    }
    if (event === 'phx_join') return join(client, message, bytes)
    const member = client.members.get(topic)
    if (member !== undefined) return handleOf(member, message)
    if (event === 'phx_leave') reply(client, message, 'ok')
    else refuse(client, message, 'unmatched topic')
  }

  function handleOf(member: Member, message: ClientMessage): void {
    const { client } = member
    const { event, joinRef, payload } = message
    // Of an earlier join of the same topic.
    if (joinRef !== null && joinRef !== member.joinRef) return
    if (event === 'phx_leave') {
      members.leave(member)
      reply(client, message, 'ok')
      tellClosed(member)
    } else if (!member.topic.members.has(member)) refuse(client, message, 'unmatched topic')
    else if (event === 'access_token') void changeToken({ ...deps, members }, member, payload)
    else if (event === 'broadcast') broadcast(member, message)
    else if (event === 'presence') presence.handle(member, message)
  }

  function broadcast(member: Member, message: ClientMessage): void {
    if (!takeOne(member.client.messages, options.messagesPerSecondMax, clock.monotonic()))
      return members.shutDown(member, 'Too many messages per second')
    const { user, payload } = message
    if (user !== undefined && publishing.isForDocument(member.topic.name, user.event))
      return documents.handle(member, message)
    if (member.permissions?.broadcast.write === false) return
    if (Buffer.isBuffer(payload)) return refuse(member.client, message, 'Bytes for others come in a frame of kind 3')
    const sent = user === undefined ? { json: JSON.stringify(payload) } : { user }
    publish(publishing, member.topic, sent, member)
    fleet?.passOn(member.topic, sent)
    if (member.ack) reply(member.client, message, 'ok')
  }

  function send({ name, isPrivate }: TopicName, sent: PassedOn): void {
    // Members hear of documents from there alone.
    if ('user' in sent && publishing.isForDocument(name, sent.user.event)) return
    const topic = topics.find(name, isPrivate)
    if (topic !== undefined) publish(publishing, topic, sent)
    fleet?.passOn({ name, isPrivate }, sent)
  }

  return {
    topics,
    publishing,
    handle,
    send,
    leaveAll: (client) => {
      for (const member of client.members.values()) members.leave(member)
    },
    look: () => {
      members.endExpired()
      fleet?.look()
    },
    stop: () => fleet?.stop(),
    endSession: members.endSession,
  }
}
