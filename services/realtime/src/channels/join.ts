import { catchUp, type Publishing, wireTopic } from '../broadcast/publish.ts'
import type { RealtimeDeps } from '../deps.ts'
import { findMessages } from '../messages/find-messages.ts'
import type { Presence } from '../presence/create-presence.ts'
import { takeOne } from '../sockets/allowance.ts'
import type { Client } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { type JoinRequest, parseJoin } from '../wire/parse-join.ts'
import type { Fleet } from './fleet.ts'
import type { FollowChanges } from './follow-changes.ts'
import { identify } from './identify.ts'
import { toReason } from './join-rejection.ts'
import { type Member, newMember } from './member.ts'
import type { Members } from './members.ts'
import { permissionsOf } from './permissions-of.ts'
import { answer, refuse, tellClosed, tellSystem } from './replies.ts'
import { toReplay } from './to-replay.ts'
import { newTopic, type Topic, type Topics } from './topics.ts'

export type JoinDeps = Omit<RealtimeDeps, 'changes'> & {
  readonly changes: FollowChanges | undefined
  readonly fleet: Fleet | undefined
  readonly members: Members
  readonly presence: Presence
  readonly publishing: Publishing
  readonly topics: Topics
}

const prefix = wireTopic('')

/** Lets clients into channels. */
export function createJoin(deps: JoinDeps): (client: Client, message: ClientMessage, bytes: number) => void {
  const { changes, clock, database, fleet, logger, members, options, presence, publishing, topics } = deps

  function askToJoin(client: Client, message: ClientMessage, bytes: number): void {
    const request = parseJoin(message.payload)
    const reason = whyNot(client, message, { request, bytes })
    if (reason !== undefined) return refuse(client, message, reason)
    const before = client.members.get(message.topic)
    if (before !== undefined) {
      members.leave(before)
      tellClosed(before)
    }
    const topic = newTopic(message.topic.slice(prefix.length), request.isPrivate)
    void join(newMember({ client, message, request, topic }), message, request)
  }

  async function join(member: Member, message: ClientMessage, request: JoinRequest): Promise<void> {
    const { client } = member
    client.members.set(member.address, member)
    let held: Topic | undefined
    try {
      const identity = await identify(deps, client, request.accessToken)
      const entries = changes?.nameEntries(request.postgresChanges) ?? []
      if (request.changesWaitMs !== undefined && entries.length > 0)
        await changes?.untilFollowable({ entries, caller: identity.caller, waitMs: request.changesWaitMs })
      const permissions = await permissionsOf(database, member.topic, identity)
      const replay = toReplay(request, permissions)
      // Whatever other nodes and the database send from here on comes by the line, and from the log.
      if (fleet !== undefined) member.topic = held = topics.hold(member.topic)
      const following = fleet?.follow(member.topic, { presence: request.presence.enabled })
      if (following !== undefined) await following
      const cursor = changes?.cursor()
      const replayed = replay === undefined ? [] : await findMessages(database, member.topic.name, replay)
      // What was asked of the database took a while: the session may have ended.
      await identify(deps, client, request.accessToken)
      // It left meanwhile, or joined again.
      if (client.members.get(member.address) !== member) return
      members.enter(member, identity, permissions)
      // Another node may have come since.
      void fleet?.follow(member.topic, { presence: request.presence.enabled })
      const repeated = changes === undefined ? request.postgresChanges : entries
      answer(client, message, JSON.stringify({ status: 'ok', response: { postgres_changes: repeated, cursor } }))
      presence.greet(member)
      catchUp(publishing, member, replayed)
      // What comes after the answer: changes of rows, and messages of the database.
      changes?.follow(member, {
        entries,
        cursor: request.cursor ?? cursor,
        known: new Set(replayed.map(({ id }) => id!)),
        replicationReady: request.broadcast.replicationReady,
      })
      if (entries.length < request.postgresChanges.length) tellSystem(member, noChanges)
    } catch (error) {
      if (client.members.get(member.address) !== member) return
      members.leave(member)
      refuse(client, message, toReason(error, logger))
    } finally {
      if (held !== undefined) topics.release(held)
    }
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

  return askToJoin
}

const noChanges = { extension: 'postgres_changes', status: 'error', message: 'This node reads no changes' } as const

type Joining = { readonly request: JoinRequest; readonly bytes: number }
