import type { ChangeReader } from '@pando/changes/reader'
import type { Broadcast } from '../broadcast/publish.ts'
import type { ChangeFanOut, Handle } from '../changes/fan-out.ts'
import { parseRequest } from '../changes/parse-request.ts'
import { SubscriptionRefused } from '../changes/request.ts'
import { isMessages, readMessage } from '../messages/read-message.ts'
import type { Client } from '../sockets/client.ts'
import { createChangeSender } from './change-sender.ts'
import { mayHear, type Member } from './member.ts'
import { tellMissing } from './missing.ts'
import { tellSystem } from './replies.ts'
import type { Topic } from './topics.ts'

export type FollowDeps = {
  readonly fanOut: ChangeFanOut
  readonly reader: Pick<ChangeReader, 'since' | 'state' | 'onState' | 'latest'>
  /** Gives a member messages that it has not heard yet. */
  readonly catchUp: (member: Member, missed: readonly Broadcast[]) => void
  /** The log was asked for what somebody missed: there was something, or it is too long ago. */
  readonly onReplayed: (outcome: 'found' | 'too_old') => void
  /** A change waits for a slow client, merged with others of its row. */
  readonly onMerged: () => void
  readonly onFailed: (error: unknown) => void
}

/** An entry of a join's `postgres_changes`, as the answer repeats it. */
export type Entry = Readonly<Record<string, unknown>> & { readonly id: number }

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
  /** Follows until the member leaves, from the cursor on. Says how it went by `system` messages. */
  follow(member: Member, asked: Asked): void
  /** The newest place in the log; undefined while something from before it may be on its way to this client. */
  settledCursor(client: Client): string | undefined
  /** The member is somebody else now, or the same with other claims. */
  changeCaller(member: Member): void
  /** What is under way was lost: everybody who follows has to fetch again. */
  loseAll(members: Iterable<Member>, reason: string): void
}

/** A node that follows another one is some milliseconds behind it: a client that comes from there may have read further. */
const aheadLookMs = 50
const aheadLooksMax = 60

/** What the log has for members of channels. */
export function createFollowChanges(deps: FollowDeps): FollowChanges {
  const { fanOut, reader, catchUp, onMerged, onFailed } = deps
  const sender = createChangeSender(onMerged)
  let names = 0

  function follow(member: Member, asked: Asked): void {
    const awaitsRows = asked.entries.length > 0
    const following: Following = {
      hearsMessages: false,
      known: asked.known,
      awaitsRows,
      handle: undefined,
      stops: [],
    }
    member.changes = following
    whenReached(following, asked.cursor, () => hearMessages(member, following, asked))
    if (awaitsRows) void followRows(member, following, asked)
  }

  function hearMessages(member: Member, following: Following, { cursor, known, replicationReady }: Asked): void {
    following.hearsMessages = true
    if (cursor !== undefined && mayHear(member)) {
      const missed = messagesSince(cursor, member.topic)
      countReplay(missed)
      if (missed === undefined) tellMissing(member, 'system', 'too_old')
      else
        catchUp(
          member,
          missed.filter(({ id }) => !known.has(id!)),
        )
    }
    if (replicationReady)
      tellSystem(member, { extension: 'system', status: 'ok', message: 'Replication connection established' })
  }

  function countReplay(missed: readonly unknown[] | undefined): void {
    if (missed === undefined) deps.onReplayed('too_old')
    else if (missed.length > 0) deps.onReplayed('found')
  }

  /** Undefined when that is too long ago. */
  function messagesSince(cursor: string, { name, isPrivate }: Topic): readonly Broadcast[] | undefined {
    return reader
      .since(cursor)
      ?.filter(({ relation }) => isMessages(relation))
      .map(readMessage)
      .filter((message) => message !== undefined && message.topic === name && message.isPrivate === isPrivate)
      .map((message) => message!.sent)
  }

  async function followRows(member: Member, following: Following, { entries, cursor }: Asked): Promise<void> {
    try {
      const requests = entries.map((entry) => ({ id: entry.id, request: parseRequest(entry) }))
      const bindings = await Promise.all(
        requests.map(async ({ id, request }) => ({ id, prepared: await fanOut.prepare(request, member.caller) })),
      )
      if (member.changes !== following) return
      // Until the log is read to its end, what comes is from before: not for who begins now, and told in order to others.
      whenReached(following, cursor, () => {
        const { caller } = member
        const lose = (reason: string): void => loseRows(member, reason)
        const handle = fanOut.add({ bindings, caller, deliver: (delivery) => sender.send(member, delivery), lose })
        Object.assign(following, { handle, awaitsRows: false })
        following.stops.push(() => fanOut.remove(handle))
        following.stops.push(() => sender.forget(member))
        const missed = cursor === undefined ? [] : reader.since(cursor)
        countReplay(missed)
        // Before word that rows are followed, which who waits for a fetch waits for.
        if (missed === undefined) tellMissing(member, 'postgres_changes', 'too_old')
        tellSystem(member, { extension: 'postgres_changes', status: 'ok', message: 'Subscribed to PostgreSQL' })
        fanOut.replay(handle, missed ?? [])
      })
    } catch (error) {
      following.awaitsRows = false
      if (!(error instanceof SubscriptionRefused)) onFailed(error)
      const message = error instanceof SubscriptionRefused ? error.message : 'Unable to subscribe to changes now'
      tellSystem(member, { extension: 'postgres_changes', status: 'error', message })
    }
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

  /**
   * Calls back when the log is read to its end, and to the cursor unless that takes too long; now or later, if the member
   * has not left by then.
   */
  function whenReached(following: Following, cursor: string | undefined, callback: () => void): void {
    whenReading(following, () => {
      const isAhead = (): boolean => cursor !== undefined && reader.state() === 'following' && cursor > reader.latest()
      if (!isAhead()) return callback()
      let looks = 0
      const timer = setInterval(() => {
        if (isAhead() && (looks += 1) < aheadLooksMax) return
        clearInterval(timer)
        whenReading(following, callback)
      }, aheadLookMs)
      following.stops.push(() => clearInterval(timer))
    })
  }

  function whenReading({ stops }: Following, callback: () => void): void {
    if (isRead()) return callback()
    const stop = reader.onState(() => {
      if (!isRead()) return
      stop()
      callback()
    })
    stops.push(stop)
  }

  const isRead = (): boolean => reader.state() === 'reading' || reader.state() === 'following'
  const cursor = (): string | undefined => (isRead() ? reader.latest() : undefined)
  return {
    nameEntries: (requests) => requests.map((request) => ({ ...request, id: (names += 1) })),
    cursor,
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
