import type { Change } from '@pando/changes/change'
import type { ChangeReader } from '@pando/changes/reader'
import type { Broadcast } from '../broadcast/publish.ts'
import type { Delivery } from '../changes/change-run.ts'
import type { ChangeFanOut, Handle } from '../changes/fan-out.ts'
import { type Bindings, type Entry, prepareBindings } from '../changes/prepare-bindings.ts'
import { SubscriptionRefused } from '../changes/request.ts'
import { isMessages, readMessage } from '../messages/read-message.ts'
import type { Client } from '../sockets/client.ts'
import { createChangeSender } from './change-sender.ts'
import type { DeliveryLag } from './delivery-lag.ts'
import { mayHear, type Member } from './member.ts'
import { tellMissing } from './missing.ts'
import { tellSystem } from './replies.ts'
import type { Topic } from './topics.ts'
import { untilFollowable, type Wish } from './until-followable.ts'

export type FollowDeps = {
  readonly fanOut: ChangeFanOut
  readonly reader: Pick<ChangeReader, 'since' | 'state' | 'whenReached' | 'latest'>
  /** Gives a member messages that it has not heard yet. */
  readonly catchUp: (member: Member, missed: readonly Broadcast[]) => void
  /** The log was asked for what somebody missed: there was something, or it is too long ago. */
  readonly onReplayed: (outcome: 'found' | 'too_old') => void
  /** A change waits for a slow client, merged with others of its row. */
  readonly onMerged: () => void
  readonly onFailed: (error: unknown) => void
  readonly lag: DeliveryLag
  /** Longest time that somebody may wait until their changes are followed. */
  readonly waitMsMax: number
}

export type Asked = {
  readonly entries: readonly Entry[]
  /** Where to go on; undefined from when the log is read. */
  readonly cursor: string | undefined
  /** Messages that were told already. */
  readonly known: ReadonlySet<string>
  /** Whether it wants to be told that messages of the database arrive from now on. */
  readonly replicationReady: boolean
}

/** What a member follows in the log: messages of the database, and its place in the fan-out of rows once that is known. */
export type Following = {
  hearsMessages: boolean
  /** Messages that it was told before the log had them. */
  readonly known: ReadonlySet<string>
  /** Whether it asked for rows that are not followed yet. */
  awaitsRows: boolean
  handle: Handle | undefined
  readonly stops: (() => void)[]
}

export type FollowChanges = {
  /** The entries with the names that deliveries will have, in their order. */
  nameEntries(requests: readonly Readonly<Record<string, unknown>>[]): readonly Entry[]
  /** The newest place in the log; undefined while it is not read. */
  cursor(): string | undefined
  /** Fulfils when what a join asks for can be followed. Rejects with a `JoinRejection` when it cannot, or not in time. */
  untilFollowable(wish: Wish): Promise<void>
  /** Follows until the member leaves, from the cursor on. Says how it went by `system` messages. */
  follow(member: Member, asked: Asked): void
  /** The newest place in the log; undefined while something from before it may be on its way to this client. */
  settledCursor(client: Client): string | undefined
  /** The member is somebody else now, or the same with other claims. */
  changeCaller(member: Member): void
  /** What is under way was lost: everybody who follows has to fetch again. */
  loseAll(members: Iterable<Member>, reason: string): void
}

/** What the log has for members of channels. */
export function createFollowChanges(deps: FollowDeps): FollowChanges {
  const { fanOut, reader, catchUp, lag, onMerged, onFailed } = deps
  const sender = createChangeSender(onMerged)
  let names = 0

  function follow(member: Member, asked: Asked): void {
    const following: Following = {
      hearsMessages: false,
      known: asked.known,
      awaitsRows: asked.entries.length > 0,
      handle: undefined,
      stops: [],
    }
    member.changes = following
    // Where the log is read Postgres is there: nobody looks for it.
    const stop = reader.whenReached(undefined, () => void prepare(member, following, asked))
    following.stops.push(stop)
  }

  async function prepare(member: Member, following: Following, asked: Asked): Promise<void> {
    const from = asked.cursor ?? reader.latest()
    const isOver = (): boolean => member.changes !== following
    const bindings = await prepareBindings(fanOut, { entries: asked.entries, caller: member.caller, isOver }).catch(
      (error: unknown) => (isOver() ? [] : refuse(member, following, error)),
    )
    if (isOver()) return
    const stop = reader.whenReached(from, () => {
      // Asked once for both: it may be long.
      const missed = reader.since(from)
      hearMessages(member, following, missed)
      if (asked.replicationReady)
        tellSystem(member, { extension: 'system', status: 'ok', message: 'Replication connection established' })
      if (bindings.length > 0) followRows(member, following, { bindings, missed })
    })
    following.stops.push(stop)
  }

  function refuse(member: Member, following: Following, error: unknown): Bindings {
    following.awaitsRows = false
    if (!(error instanceof SubscriptionRefused)) onFailed(error)
    const message = error instanceof SubscriptionRefused ? error.message : 'Unable to subscribe to changes now'
    tellSystem(member, { extension: 'postgres_changes', status: 'error', message })
    return []
  }

  /** `missed` is undefined when it is too long ago. */
  function hearMessages(member: Member, following: Following, missed: readonly Change[] | undefined): void {
    following.hearsMessages = true
    if (!mayHear(member)) return
    const messages = missed && messagesOf(member.topic, missed)
    countReplay(messages)
    if (messages === undefined) tellMissing(member, 'system', 'too_old')
    else
      catchUp(
        member,
        messages.filter(({ id }) => !following.known.has(id!)),
      )
  }

  function followRows(member: Member, following: Following, { bindings, missed }: MissedRows): void {
    const { caller } = member
    const lose = (reason: string): void => loseRows(member, reason)
    const deliver = (delivery: Delivery): void => {
      lag.tell(delivery)
      sender.send(member, delivery)
    }
    const refuseNow = (message: string): void => {
      sender.forget(member)
      following.handle = undefined
      refuse(member, following, new SubscriptionRefused(message))
    }
    lag.pass(reader.latest())
    const handle = fanOut.add({ bindings, caller, deliver, lose, refuse: refuseNow })
    Object.assign(following, { handle, awaitsRows: false })
    following.stops.push(() => fanOut.remove(handle))
    following.stops.push(() => sender.forget(member))
    countReplay(missed)
    // Before word that rows are followed, which who waits for a fetch waits for.
    if (missed === undefined) tellMissing(member, 'postgres_changes', 'too_old')
    tellSystem(member, { extension: 'postgres_changes', status: 'ok', message: 'Subscribed to PostgreSQL' })
    fanOut.replay(handle, missed ?? [])
  }

  function countReplay(missed: readonly unknown[] | undefined): void {
    if (missed === undefined) deps.onReplayed('too_old')
    else if (missed.length > 0) deps.onReplayed('found')
  }

  /** What waits for it is from before what it is about to fetch. */
  function loseRows(member: Member, reason: string): void {
    sender.forget(member)
    tellMissing(member, 'postgres_changes', reason)
  }

  function isSettled({ changes, missing }: Member): boolean {
    if (changes?.hearsMessages !== true || changes.awaitsRows || (missing?.size ?? 0) > 0) return false
    return changes.handle === undefined || fanOut.pending(changes.handle) === 0
  }

  const isRead = (): boolean => reader.state() === 'reading' || reader.state() === 'following'
  const cursor = (): string | undefined => (isRead() ? reader.latest() : undefined)
  return {
    nameEntries: (requests) => requests.map((request) => ({ ...request, id: (names += 1) })),
    cursor,
    untilFollowable: (wish) => untilFollowable(deps, { ...wish, waitMs: Math.min(wish.waitMs, deps.waitMsMax) }),
    settledCursor: (client) =>
      sender.waitingBytes(client) === 0 && client.members.values().every(isSettled) ? cursor() : undefined,
    follow,
    changeCaller: ({ changes, caller }) => {
      if (changes?.handle !== undefined) fanOut.updateClaims(changes.handle, caller)
    },
    loseAll: (members, reason) => {
      for (const member of members) {
        if (member.changes?.handle !== undefined) loseRows(member, reason)
        if (member.changes?.hearsMessages === true && mayHear(member)) tellMissing(member, 'system', reason)
      }
    },
  }
}

type MissedRows = { readonly bindings: Bindings; readonly missed: readonly Change[] | undefined }

/** Those that were sent to a topic. */
const messagesOf = ({ name, isPrivate }: Topic, changes: readonly Change[]): readonly Broadcast[] =>
  changes.flatMap((change) => {
    const message = isMessages(change.relation) ? readMessage(change) : undefined
    return message?.topic === name && message.isPrivate === isPrivate ? [message.sent] : []
  })
