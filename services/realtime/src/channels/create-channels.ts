import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import type { PassedOn } from '../broadcast/line-broadcast.ts'
import { catchUp, type Publishing, publish, wireTopic } from '../broadcast/publish.ts'
import type { Identity, RealtimeDeps } from '../deps.ts'
import type { Documents } from '../documents/documents.ts'
import { findMessages, parseReplay, type Replay } from '../messages/find-messages.ts'
import { createPresence } from '../presence/create-presence.ts'
import { findPermissions } from '../private/find-permissions.ts'
import type { Permissions } from '../private/permissions.ts'
import { takeOne } from '../sockets/allowance.ts'
import type { Client } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { type JoinRequest, parseJoin } from '../wire/parse-join.ts'
import { createFleet } from './fleet.ts'
import type { Asked, Entry, FollowChanges } from './follow-changes.ts'
import { expiredText, identify } from './identify.ts'
import { JoinRejection } from './join-rejection.ts'
import type { Lines } from './lines.ts'
import { createMemberIndex } from './member-index.ts'
import { mayHear, maySeePresence, type Member } from './member.ts'
import { answer, refuse, reply, tellClosed, tellSystem } from './replies.ts'
import { newTopic, type Topic, type TopicName, type Topics } from './topics.ts'

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

const prefix = wireTopic('')

type Joining = { readonly request: JoinRequest; readonly bytes: number }

/** What happens in channels: who is in which, and what members say. */
export function createChannels(deps: ChannelsDeps, publishing: Publishing): Channels {
  const { options, clock, logger, topics, bus, lines } = deps
  const onBroadcast = (topic: Topic, sent: PassedOn): void => publish(publishing, topic, sent)
  const onPresences = (topic: Topic): void => presence.tell(topic)
  const fleet = bus && lines && createFleet({ bus, lines, topics, clock, logger, onBroadcast, onPresences })
  const presence = createPresence({
    options,
    clock,
    shutDown,
    nodeId: bus?.nodeId,
    onChanged: (topic, change) => fleet?.tellPresence(topic, change),
  })
  const byExpiry = createMemberIndex<number>()
  const bySession = createMemberIndex<string>()

  function handle(client: Client, message: ClientMessage, bytes: number): void {
    const { topic, event } = message
    if (topic === 'phoenix' && event === 'heartbeat') {
      // A log in which nothing happens moves on too, and whoever comes back names a place that is still known.
      return reply(client, message, 'ok', { cursor: deps.changes?.settledCursor(client) })
    }
    if (event === 'phx_join') return askToJoin(client, message, bytes)
    const member = client.members.get(topic)
    if (member === undefined) {
      if (event === 'phx_leave') reply(client, message, 'ok')
      else refuse(client, message, 'unmatched topic')
      return
    }
    // Of an earlier join of the same topic.
    if (message.joinRef !== null && message.joinRef !== member.joinRef) return
    if (event === 'phx_leave') {
      leave(member)
      reply(client, message, 'ok')
      tellClosed(member)
    } else if (!member.topic.members.has(member)) refuse(client, message, 'unmatched topic')
    else if (event === 'access_token') void changeToken(member, message.payload)
    else if (event === 'broadcast') broadcast(member, message)
    else if (event === 'presence') presence.handle(member, message)
  }

  function askToJoin(client: Client, message: ClientMessage, bytes: number): void {
    const request = parseJoin(message.payload)
    const reason = whyNot(client, message, { request, bytes })
    if (reason !== undefined) return refuse(client, message, reason)
    const before = client.members.get(message.topic)
    if (before !== undefined) {
      leave(before)
      tellClosed(before)
    }
    void join(newMember(client, message, request), message, request)
  }

  async function join(member: Member, message: ClientMessage, request: JoinRequest): Promise<void> {
    const { client } = member
    client.members.set(member.address, member)
    let held: Topic | undefined
    try {
      const identity = await identify(deps, client, request.accessToken)
      const permissions = await permissionsOf(member, identity)
      const replay = toReplay(request, permissions)
      // Whatever other nodes and the database send from here on comes by the line, and from the log.
      if (fleet !== undefined) member.topic = held = topics.hold(member.topic)
      const following = fleet?.follow(member.topic, { presence: request.presence.enabled })
      if (following !== undefined) await following
      const cursor = deps.changes?.cursor()
      const replayed = replay === undefined ? [] : await findMessages(deps.database, member.topic.name, replay)
      // What was asked of the database took a while: the session may have ended.
      await identify(deps, client, request.accessToken)
      // It left meanwhile, or joined again.
      if (client.members.get(member.address) !== member) return
      const entries = deps.changes?.nameEntries(request.postgresChanges) ?? request.postgresChanges
      const response = JSON.stringify({ status: 'ok', response: { postgres_changes: entries, cursor } })
      enter(member, identity, permissions)
      // Another node may have come since.
      void fleet?.follow(member.topic, { presence: request.presence.enabled })
      answer(client, message, response)
      presence.greet(member)
      catchUp(publishing, member, replayed)
      follow(member, entries, {
        cursor: request.cursor ?? cursor,
        known: new Set(replayed.map(({ id }) => id!)),
        replicationReady: request.broadcast.replicationReady,
      })
    } catch (error) {
      if (client.members.get(member.address) !== member) return
      leave(member)
      refuse(client, message, toReason(error))
    } finally {
      if (held !== undefined) topics.release(held)
    }
  }

  /** What comes after the answer: changes of rows, and messages of the database. */
  function follow(member: Member, entries: readonly object[], asked: Omit<Asked, 'entries'>): void {
    if (deps.changes !== undefined) deps.changes.follow(member, { ...asked, entries: entries as readonly Entry[] })
    else if (entries.length > 0)
      tellSystem(member, { extension: 'postgres_changes', status: 'error', message: 'This node reads no changes' })
  }

  function whyNot(client: Client, { topic }: ClientMessage, { request, bytes }: Joining): string | undefined {
    if (!topic.startsWith(prefix)) return 'unmatched topic'
    if (topic === prefix) return 'TopicNameRequired: You must provide a topic name'
    if (bytes > options.joinBytesMax)
      return `InvalidJoinPayload: A request to join may have ${options.joinBytesMax} bytes`
    if (request.postgresChanges.length > options.changesPerChannelMax)
      return `InvalidJoinPayload: A channel may follow ${options.changesPerChannelMax} postgres_changes`
    if (options.privateOnly && !request.isPrivate) return 'PrivateOnly: This project only allows private channels'
    if (!takeOne(client.joins, options.joinsPerSecondMax, clock.monotonic()))
      return 'ClientJoinRateLimitReached: Too many joins per second'
    if (!client.members.has(topic) && client.members.size >= options.channelsPerSocketMax)
      return 'ChannelRateLimitReached: Too many channels'
    return undefined
  }

  function enter(member: Member, identity: Identity, permissions: Permissions | undefined): void {
    Object.assign(member, identity, { permissions })
    topics.enter(member)
    byExpiry.put(member, identity.expiresAt)
    const { session_id: session } = identity.caller.claims
    bySession.put(member, typeof session === 'string' ? session : undefined)
  }

  /** Rejects when somebody may neither hear a private channel nor see who is there. */
  async function permissionsOf({ topic }: Member, { caller }: Identity): Promise<Permissions | undefined> {
    if (!topic.isPrivate) return undefined
    const permissions = await findPermissions(deps.database, caller, topic.name)
    if (permissions.broadcast.read || permissions.presence.read) return permissions
    throw new JoinRejection('Unauthorized', notAllowed(topic.name))
  }

  /** The policies are asked again, as whom the new token names. */
  async function changeToken(member: Member, payload: unknown): Promise<void> {
    const { access_token: token } = payload as { access_token?: unknown }
    if (typeof token !== 'string' || token.startsWith('sb_') || token === (member.asking ?? member.token)) return
    if (!takeOne(member.client.joins, options.joinsPerSecondMax, clock.monotonic()))
      return shutDown(member, 'Too many access tokens per second')
    member.asking = token
    try {
      const identity = await identify(deps, member.client, token)
      const permissions = await permissionsOf(member, identity)
      // What was asked of the database took a while: the session may have ended.
      await identify(deps, member.client, token)
      // It left meanwhile, or sent another.
      if (!member.topic.members.has(member) || member.asking !== token) return
      member.asking = undefined
      const { permissions: before } = member
      const [heard, saw] = [before?.broadcast.read === true, before?.presence.read === true]
      enter(member, identity, permissions)
      deps.changes?.changeCaller(member)
      if ((heard && !mayHear(member)) || (saw && !maySeePresence(member))) shutDown(member, noLongerAllowed(member))
    } catch (error) {
      if (!member.topic.members.has(member) || member.asking !== token) return
      shutDown(member, error instanceof JoinRejection ? error.message : toReason(error))
    }
  }

  function broadcast(member: Member, message: ClientMessage): void {
    if (!takeOne(member.client.messages, options.messagesPerSecondMax, clock.monotonic()))
      return shutDown(member, 'Too many messages per second')
    const { user, payload } = message
    if (user !== undefined && publishing.isForDocument(member.topic.name, user.event))
      return deps.documents.handle(member, message)
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

  function leave(member: Member): void {
    byExpiry.put(member, undefined)
    bySession.put(member, undefined)
    for (const stop of member.changes?.stops ?? []) stop()
    member.changes = undefined
    presence.forget(member)
    deps.documents.leave(member)
    topics.remove(member)
    if (member.client.members.get(member.address) === member) member.client.members.delete(member.address)
  }

  /** Says why, and ends the channel; the client may join again. */
  function shutDown(member: Member, message: string): void {
    tellSystem(member, { extension: 'system', status: 'error', message })
    leave(member)
    tellClosed(member)
  }

  function endExpired(): void {
    const nowMs = clock.now()
    for (const second of byExpiry.keys()) {
      if (second * 1000 > nowMs) continue
      for (const member of byExpiry.take(second)) shutDown(member, expiredText(second, nowMs))
    }
  }

  function toReason(error: unknown): string {
    if (error instanceof JoinRejection) return `${error.code}: ${error.message}`
    logger.warn({ err: error }, 'a channel could not be joined')
    if (error instanceof PostgresError) return `UnableToSetPolicies: ${policiesFailed}`
    if (error instanceof PostgresUnavailable)
      return 'UnableToConnectToProject: Realtime was unable to connect to the project database'
    return 'UnknownErrorOnChannel: Unknown Error on Channel'
  }

  return {
    topics,
    publishing,
    handle,
    send,
    leaveAll: (client) => {
      for (const member of client.members.values()) leave(member)
    },
    look: () => {
      endExpired()
      fleet?.look()
    },
    stop: () => fleet?.stop(),
    endSession: (sessionId) => {
      for (const member of bySession.take(sessionId)) shutDown(member, 'Session of the token has ended')
    },
  }
}

/** What somebody wants to hear from before they came; throws when they may not. */
function toReplay({ isPrivate, broadcast }: JoinRequest, permissions: Permissions | undefined): Replay | undefined {
  if (broadcast.replay === undefined) return undefined
  if (!isPrivate) throw new JoinRejection('UnableToReplayMessages', 'Replay is not allowed for public channels')
  if (permissions?.broadcast.read !== true)
    throw new JoinRejection('Unauthorized', 'Replay needs the permission to read')
  const replay = parseReplay(broadcast.replay)
  if (replay === undefined) throw new JoinRejection('UnableToReplayMessages', 'Replay params are not valid')
  return replay
}

function newMember(client: Client, { topic: address, joinRef, ref }: ClientMessage, request: JoinRequest): Member {
  const { broadcast, presence, isPrivate } = request
  return {
    client,
    topic: newTopic(address.slice(prefix.length), isPrivate),
    address,
    joinRef: joinRef ?? ref,
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

/** What exactly a policy raised is the project's own business; it is in the log. */
const policiesFailed = 'The policies of this channel could not be asked'

const notAllowed = (topic: string): string => `You do not have permissions to read from this Channel topic: ${topic}`

const noLongerAllowed = ({ topic }: Member): string =>
  `You no longer have permission to read from this Channel topic: ${topic.name}`
