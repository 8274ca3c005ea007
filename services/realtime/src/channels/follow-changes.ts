import type { ChangeReader } from '@pando/changes/reader'
import type { ChangeFanOut, Handle } from '../changes/fan-out.ts'
import type { Delivery } from '../changes/change-run.ts'
import { parseRequest } from '../changes/parse-request.ts'
import { SubscriptionRefused } from '../changes/request.ts'
import { isBehind, sendText } from '../sockets/client.ts'
import { isMessages, readMessage } from '../messages/read-message.ts'
import type { Broadcast } from '../broadcast/publish.ts'
import type { Member } from './member.ts'
import { tellSystem } from './replies.ts'
import type { Topic } from './topics.ts'

export type FollowDeps = {
  readonly fanOut: ChangeFanOut
  readonly reader: Pick<ChangeReader, 'since' | 'state' | 'onState'>
  readonly queueBytesMax: number
  readonly onFailed: (error: unknown) => void
}

/** An entry of a join's `postgres_changes`, as the answer repeats it. */
export type Entry = Readonly<Record<string, unknown>> & { readonly id: number }

/** What a member follows: its place in the fan-out, once that is known, and whether it missed something since it was told. */
export type Following = { handle: Handle | undefined; isMissing: boolean; stop: () => void }

export type FollowChanges = {
  /** The entries with the names that deliveries will have, in their order. */
  nameEntries(requests: readonly Readonly<Record<string, unknown>>[]): readonly Entry[]
  /** Follows until the member leaves; with a cursor also what came after it. Says how it went by a `system` message. */
  follow(
    member: Member,
    asked: { readonly entries: readonly Entry[]; readonly cursor: string | undefined },
  ): Promise<void>
  /** What the database sent to a channel after a cursor; undefined when that is too long ago. */
  messagesSince(cursor: string, topic: Pick<Topic, 'name' | 'isPrivate'>): readonly Broadcast[] | undefined
  /** The member is somebody else now, or the same with other claims. */
  changeCaller(member: Member): void
  /** What is under way was lost: everybody who follows has to fetch again. */
  loseAll(members: Iterable<Member>, reason: string): void
  /** Calls back when changes are read, now or later; the answer stops waiting. */
  whenReading(callback: () => void): () => void
}

/** Changes of rows for members of channels. */
export function createFollowChanges({ fanOut, reader, queueBytesMax, onFailed }: FollowDeps): FollowChanges {
  let names = 0

  async function follow(member: Member, asked: Parameters<FollowChanges['follow']>[1]): Promise<void> {
    const following: Following = { handle: undefined, isMissing: false, stop: () => {} }
    member.changes = following
    try {
      const requests = asked.entries.map((entry) => ({ id: entry.id, request: parseRequest(entry) }))
      const bindings = await Promise.all(
        requests.map(async ({ id, request }) => ({ id, prepared: await fanOut.prepare(request, member.caller) })),
      )
      if (member.changes !== following) return
      const handle = fanOut.add({
        bindings,
        caller: member.caller,
        deliver: (delivery) => deliver(member, following, delivery),
        lose: (reason) => tellMissing(member, reason),
      })
      following.handle = handle
      const stopWaiting = whenReading(() => {
        tellSystem(member, { extension: 'postgres_changes', status: 'ok', message: 'Subscribed to PostgreSQL' })
        if (asked.cursor !== undefined) catchUp(member, handle, asked.cursor)
      })
      following.stop = () => {
        stopWaiting()
        fanOut.remove(handle)
      }
    } catch (error) {
      if (!(error instanceof SubscriptionRefused)) onFailed(error)
      const message = error instanceof SubscriptionRefused ? error.message : 'Unable to subscribe to changes now'
      tellSystem(member, { extension: 'postgres_changes', status: 'error', message })
    }
  }

  function catchUp(member: Member, handle: Handle, cursor: string): void {
    const missed = reader.since(cursor)
    if (missed === undefined) tellMissing(member, 'too_old')
    else fanOut.replay(handle, missed)
  }

  function deliver(member: Member, following: Following, { ids, dataJson, cursor }: Delivery): void {
    const { client, address } = member
    if (following.isMissing) return
    if (isBehind(client, queueBytesMax)) {
      following.isMissing = true
      client.socket.once('drain', () => {
        following.isMissing = false
        tellMissing(member, 'too_slow')
      })
      return
    }
    const json = `{"ids":[${ids.join(',')}],"data":${dataJson},"cursor":"${cursor}"}`
    sendText(client, { topic: address, event: 'postgres_changes' }, json)
  }

  function whenReading(callback: () => void): () => void {
    if (reader.state() === 'reading') {
      callback()
      return () => {}
    }
    const stop = reader.onState((state) => {
      if (state !== 'reading') return
      stop()
      callback()
    })
    return stop
  }

  return {
    nameEntries: (requests) => requests.map((request) => ({ ...request, id: (names += 1) })),
    follow,
    messagesSince: (cursor, { name, isPrivate }) =>
      reader
        .since(cursor)
        ?.filter(({ relation }) => isMessages(relation))
        .map(readMessage)
        .filter((message) => message !== undefined && message.topic === name && message.isPrivate === isPrivate)
        .map((message) => message!.sent),
    changeCaller: ({ changes, caller }) => {
      if (changes?.handle !== undefined) fanOut.updateClaims(changes.handle, caller)
    },
    loseAll: (members, reason) => {
      for (const member of members) if (member.changes?.handle !== undefined) tellMissing(member, reason)
    },
    whenReading,
  }
}

/** Whoever is told this has not heard of some changes, and reads the rows anew. */
function tellMissing(member: Member, reason: string): void {
  tellSystem(member, { extension: 'postgres_changes', status: 'error', message: `resync: ${reason}` })
}
