import type { Clock } from '@pando/core/clock'
import { priorityClasses } from './classes.ts'
import { type ConcurrencyLimitOptions, createConcurrencyLimit } from './concurrency-limit.ts'
import { createFairShares } from './fair-shares.ts'
import { createPace } from './pace.ts'
import type { Outcome, Visit } from './visit.ts'
import { createWaitQueue, type WaitQueueOptions } from './wait-queue.ts'

export type GateOptions = ConcurrencyLimitOptions & WaitQueueOptions & { readonly callersMax: number }

export type GateDeps = {
  readonly options: GateOptions
  readonly clock: Clock
  /** For how long this process has stood still so far, milliseconds: what waits for it is not what waits for each other. */
  readonly stalledMs?: () => number
  /** Called when somebody begins to wait in an empty house: from then on `look` must be called every few milliseconds. */
  readonly onWaiting?: () => void
}

export type GateState = {
  readonly inFlight: number
  readonly limit: number
  /** By the place of the class in the table. */
  readonly waiting: readonly number[]
  /** Latency as a multiple of the unhindered one. */
  readonly gradient: number
}

/** The door of one service: lets in as many requests as it can serve well, the most important first. */
export type Gate = {
  /**
   * Lets it in at once, if there is a place for its class and nobody as important waits; not where the queue of its class
   * stands: there it has to be known whose turn it is.
   */
  enter(visit: Visit): boolean
  /** Lets it wait for a place; `visit.wait` is told. */
  wait(visit: Visit): void
  /** It is answered, or given up. Only the first call counts. */
  leave(visit: Visit, outcome: Outcome): void
  /** It left and goes on after all: it was let in once, so it is let in even where there is no place. */
  comeBack(visit: Visit): void
  /** Tells those who wait too long. Returns whether somebody still waits. */
  look(): boolean
  /** Shrinks the limit of all but the most important to a share of itself, because the process is short of something. */
  press(share: number): void
  state(): GateState
}

const never = (): number => 0

/**
 * One gate. All of its numbers are about requests that are inside at the same time: each class may fill its share of
 * the limit, so that the classes above find a place at once, and a place that is free goes to the most important class
 * that waits for one.
 */
export function createGate({ options, clock, stalledMs = never, onWaiting }: GateDeps): Gate {
  const limit = createConcurrencyLimit(options)
  const shares = createFairShares(options.callersMax)
  const pace = createPace(options.windowMs)
  const { queueMax, waitMs, standingWaitMs } = options
  const queues = priorityClasses.map(({ waits, waitsStanding }) =>
    createWaitQueue(
      { queueMax, waitMs: waitMs * waits, standingWaitMs: standingWaitMs * waitsStanding },
      { shares, roomFor: pace.placesIn },
    ),
  )
  const rooms = priorityClasses.map(() => 1)
  let inFlight = 0
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
    inFlight += 1
    limit.began(inFlight)
    visit.isInside = true
    visit.enteredAtMs = nowMs - stalledMs()
    visit.generation = limit.generation
  }
  const count = (nowMs: number): void => {
    waiting = 0
    for (const queue of queues) waiting += queue.size
    pace.awaited(waiting > 0, nowMs)
  }
  /** Who is let in may leave at once and free the next place; this loop sees it, so that nothing nests. */
  const handOut = (nowMs: number): void => {
    if (handingOut) return
    handingOut = true
    for (let rank = 0; rank < queues.length; rank += 1) {
      while (inFlight < rooms[rank]!) {
        const visit = queues[rank]!.take(nowMs)
        if (visit === undefined) break
        begin(visit, nowMs)
        visit.wait!.settle(undefined)
      }
    }
    handingOut = false
    count(nowMs)
  }
  const decide = (nowMs: number): void => {
    if (limit.decide(nowMs)) furnish()
  }
  furnish()

  return {
    enter(visit) {
      if (inFlight >= rooms[visit.rank]! || (waiting > 0 && isAnybodyBefore(visit.rank))) return false
      const nowMs = clock.monotonic()
      // Where not all can be served, the place that happens to be free is not for whoever asks most often.
      if (queues[visit.rank]!.stands(nowMs)) return false
      begin(visit, nowMs)
      return true
    },
    wait(visit) {
      if (inFlight >= rooms[visit.rank]!) limit.missed()
      const nowMs = clock.monotonic()
      queues[visit.rank]!.push(visit, nowMs)
      const wasEmpty = waiting === 0
      count(nowMs)
      if (waiting > 0 && inFlight < rooms[visit.rank]!) handOut(nowMs)
      if (wasEmpty && waiting > 0) onWaiting?.()
    },
    leave(visit, outcome) {
      if (!visit.isInside) return
      visit.isInside = false
      inFlight -= 1
      const nowMs = clock.monotonic()
      pace.freed(nowMs)
      limit.left(inFlight)
      if (visit.generation === limit.generation) {
        if (outcome === 'answered') limit.answered(visit.profile, nowMs - stalledMs() - visit.enteredAtMs)
        else if (outcome === 'failed') limit.failed()
      }
      decide(nowMs)
      if (waiting > 0) handOut(nowMs)
    },
    comeBack(visit) {
      if (visit.isInside) return
      begin(visit, clock.monotonic())
      // What it did before is no part of its latency.
      visit.generation = -1
    },
    look() {
      const nowMs = clock.monotonic()
      decide(nowMs)
      for (const queue of queues) queue.dropLate(nowMs)
      handOut(nowMs)
      return waiting > 0
    },
    press(share) {
      pressed = share
      furnish()
    },
    state: () => ({
      inFlight,
      limit: Math.max(1, Math.floor(limit.value * pressed)),
      waiting: queues.map((queue) => queue.size),
      gradient: limit.gradient,
    }),
  }
}
