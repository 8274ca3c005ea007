import type { Clock } from '@pando/core/clock'
import { priorityClasses } from './classes.ts'
import { type ConcurrencyLimitOptions, createConcurrencyLimit } from './concurrency-limit.ts'
import type { FairShares } from './fair-shares.ts'
import { createPace } from './pace.ts'
import type { Outcome, Visit } from './visit.ts'
import { createWaitQueue, type WaitQueueOptions } from './wait-queue.ts'

export type LaneOptions = ConcurrencyLimitOptions & WaitQueueOptions

export type LaneDeps = {
  readonly name: Visit['lane']
  readonly options: LaneOptions
  readonly clock: Clock
  readonly shares: FairShares
  readonly stalledMs: () => number
  /** Called when somebody begins to wait where nobody did. */
  readonly onWaiting: () => void
  /** Whether one that waited and could be let in has gone elsewhere instead. */
  readonly divert?: (visit: Visit) => boolean
}

export type LaneState = {
  readonly inFlight: number
  readonly limit: number
  /** By the place of the class in the table. */
  readonly waiting: readonly number[]
  /** Latency as a multiple of the unhindered one. */
  readonly gradient: number
}

/** Requests that compete for the same places. */
export type Lane = {
  /** Who is in it, in the order in which they entered. */
  readonly inside: ReadonlySet<Visit>
  readonly isAwaited: boolean
  enter(visit: Visit): boolean
  /** Lets it in where there is no place, too; it tells nothing about the limit. */
  letIn(visit: Visit): void
  wait(visit: Visit): void
  leave(visit: Visit, outcome: Outcome): void
  look(): void
  press(share: number): void
  state(): LaneState
}

/** A process that has just started is slower than it will be: code is compiled, connections are made. */
const coldPlaces = 200

/**
 * All of its numbers are about requests that are inside at the same time: each class may fill its share of the limit, so
 * that the classes above find a place at once, and a place that is free goes to the most important class that waits for one.
 */
export function createLane({ name, options, clock, shares, stalledMs, onWaiting, divert }: LaneDeps): Lane {
  const limit = createConcurrencyLimit(options)
  const paces = priorityClasses.map(createPace)
  const { queueMax, waitMs, standingWaitMs } = options
  const queues = priorityClasses.map(({ waits, waitsStanding }, rank) =>
    createWaitQueue(
      { queueMax, waitMs: waitMs * waits, standingWaitMs: standingWaitMs * waitsStanding },
      { shares, roomFor: (ms) => (entered < coldPlaces ? Number.POSITIVE_INFINITY : paces[rank]!.placesIn(ms)) },
    ),
  )
  const rooms = priorityClasses.map(() => 1)
  const inside = new Set<Visit>()
  let entered = 0
  let waiting = 0
  let pressed = 1
  let handingOut = false

  const furnish = (): void => {
    priorityClasses.forEach(({ share }, rank) => {
      const whole = rank === 0 ? limit.value : limit.measuring * pressed
      // However small the limit is, one place in two or more is kept for the classes above.
      const kept = rank === 0 || whole < 2 ? 0 : 1
      rooms[rank] = Math.max(1, Math.min(Math.floor(whole) - kept, Math.round(whole * share)))
    })
  }
  const isAnybodyBefore = (rank: number): boolean => {
    for (let above = rank; above >= 0; above -= 1) if (queues[above]!.size > 0) return true
    return false
  }
  const begin = (visit: Visit, nowMs: number): void => {
    entered += 1
    paces[visit.rank]!.took()
    inside.add(visit)
    limit.began(inside.size)
    visit.isInside = true
    visit.lane = name
    visit.enteredAtMs = nowMs - stalledMs()
    visit.generation = limit.generation
  }
  const count = (nowMs: number): void => {
    waiting = 0
    queues.forEach((queue, rank) => {
      waiting += queue.size
      paces[rank]!.awaited(queue.size > 0, nowMs - stalledMs())
    })
  }
  /** Who is let in may leave at once and free the next place; this loop sees it, so that nothing nests. */
  const handOut = (nowMs: number): void => {
    if (handingOut) return
    handingOut = true
    for (let rank = 0; rank < queues.length; rank += 1) {
      while (inside.size < rooms[rank]!) {
        const visit = queues[rank]!.take(nowMs)
        if (visit === undefined) break
        if (divert?.(visit)) continue
        begin(visit, nowMs)
        visit.wait!.settle(undefined)
      }
    }
    handingOut = false
    count(nowMs)
  }
  const listInside = function* () {
    const nowMs = clock.monotonic() - stalledMs()
    for (const { kind, generation, enteredAtMs } of inside)
      yield { profile: kind.profiles[name], generation, ageMs: Math.max(0, nowMs - enteredAtMs) }
  }
  const decide = (nowMs: number): void => {
    if (limit.decide(nowMs, listInside)) furnish()
  }
  furnish()

  return {
    inside,
    get isAwaited() {
      return waiting > 0
    },
    enter(visit) {
      if (inside.size >= rooms[visit.rank]! || (waiting > 0 && isAnybodyBefore(visit.rank))) return false
      const nowMs = clock.monotonic()
      // Where not all can be served, the place that happens to be free is not for whoever asks most often.
      if (queues[visit.rank]!.stands(nowMs)) return false
      begin(visit, nowMs)
      return true
    },
    wait(visit) {
      if (inside.size >= rooms[visit.rank]!) limit.missed()
      const nowMs = clock.monotonic()
      queues[visit.rank]!.push(visit, nowMs)
      const wasEmpty = waiting === 0
      count(nowMs)
      if (waiting > 0 && inside.size < rooms[visit.rank]!) handOut(nowMs)
      if (wasEmpty && waiting > 0) onWaiting()
    },
    leave(visit, outcome) {
      if (!visit.isInside) return
      visit.isInside = false
      inside.delete(visit)
      const nowMs = clock.monotonic()
      limit.left(inside.size)
      if (outcome === 'answered')
        limit.answered(visit.kind.profiles[name], nowMs - stalledMs() - visit.enteredAtMs, visit.generation)
      else if (outcome === 'failed' && visit.generation === limit.generation) limit.failed()
      decide(nowMs)
      if (waiting > 0) handOut(nowMs)
    },
    letIn(visit) {
      begin(visit, clock.monotonic())
      visit.generation = -1
    },
    look() {
      const nowMs = clock.monotonic()
      decide(nowMs)
      for (const queue of queues) queue.dropLate(nowMs)
      handOut(nowMs)
    },
    press(share) {
      pressed = share
      furnish()
    },
    state: () => ({
      inFlight: inside.size,
      limit: Math.max(1, Math.floor(limit.value * pressed)),
      waiting: queues.map((queue) => queue.size),
      gradient: limit.gradient,
    }),
  }
}
