import type { ChangeReader } from '@pando/changes/reader'
import type { Caller } from '@pando/core/caller'
import type { ChangeFanOut } from '../changes/fan-out.ts'
import { type Entry, prepareBindings } from '../changes/prepare-bindings.ts'
import { SubscriptionRefused } from '../changes/request.ts'
import { JoinRejection } from './join-rejection.ts'

export type FollowableDeps = {
  readonly fanOut: Pick<ChangeFanOut, 'prepare'>
  readonly reader: Pick<ChangeReader, 'whenReached'>
}

export type Wish = { readonly entries: readonly Entry[]; readonly caller: Caller; readonly waitMs: number }

/** Fulfils when what a join asks for can be followed. Rejects with a `JoinRejection` when it cannot, or not in time. */
export async function untilFollowable({ fanOut, reader }: FollowableDeps, wish: Wish): Promise<void> {
  const { entries, caller, waitMs } = wish
  const read = Promise.withResolvers<void>()
  const late = Promise.withResolvers<never>()
  const stop = reader.whenReached(undefined, read.resolve)
  const overdue = setTimeout(() => late.reject(tooLate(waitMs)), waitMs).unref()
  let isOver = false
  const prepared = read.promise.then(() => prepareBindings(fanOut, { entries, caller, isOver: () => isOver }))
  try {
    await Promise.race([prepared, late.promise])
  } catch (error) {
    if (!(error instanceof SubscriptionRefused)) throw error
    throw new JoinRejection('RealtimeDisabledForConfiguration', error.message)
  } finally {
    isOver = true
    stop()
    clearTimeout(overdue)
  }
}

const tooLate = (waitMs: number): JoinRejection =>
  new JoinRejection('PostgresChangesSubscribeTimeout', `Changes could not be followed within ${waitMs} ms`)
