import type { Clock } from '@pando/core/clock'
import { priorityClasses } from './classes.ts'
import { type ConcurrencyLimitOptions, createConcurrencyLimit } from './concurrency-limit.ts'
import type { FairShares } from './fair-shares.ts'
import { measuredShare } from './measurement.ts'
import { createPace } from './pace.ts'
import type { Outcome, Visit } from './visit.ts'
import { createWaitQueue, type WaitQueueOptions } from './wait-queue.ts'

export type LaneOptions = ConcurrencyLimitOptions & WaitQueueOptions

export type LaneDeps = {
  readonly name: Visit['lane']
  readonly options: LaneOptions
  readonly clock: Clock
  readonly shares: FairShares
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
const [coldPlaces, coldMs] = [200, 3_000]
/** A lane that was not full for so long holds nobody up: who waits in it waits for others of its kind. */
const fullMs = 1_000

/** How many of `whole` places those of a class and of the classes below may have. */
const toRoom = (whole: number, rank: number): number =>
  Math.max(1, Math.min(Math.floor(whole), Math.round(whole * priorityClasses[rank]!.share)))

/**
 * All of its numbers are about requests that are inside at the same time: each class may fill its share of the limit, so
 * that the classes above find a place at once, and a place that is free goes to the most important class that waits for one.
 */
export function createLane({ name, options, clock, shares, onWaiting, divert }: LaneDeps): Lane {
  const limit = createConcurrencyLimit(options)
  const paces = priorityClasses.map(createPace)
  const { queueMax, waitMs, standingWaitMs, latencyFactor, latencySlackMs, limitMin } = options
  const queues = priorityClasses.map(({ waits, waitsStanding }, rank) =>
    createWaitQueue(
      { queueMax, waitMs: waitMs * waits, standingWaitMs: standingWaitMs * waitsStanding },
      { shares, roomFor: (ms) => (isCold() ? Number.POSITIVE_INFINITY : paces[rank]!.placesIn(ms)) },
    ),
  )
  const rooms = priorityClasses.map(() => 1)
  const inside = new Set<Visit>()
  let entered = 0
  let firstAtMs: number | undefined
  let waiting = 0
  let pressed = 1
  let handingOut = false
  /** When somebody last found no place, whatever its kind. */
  let fullAtMs = Number.NEGATIVE_INFINITY

  const isCold = (): boolean =>
    entered < coldPlaces && (firstAtMs === undefined || clock.monotonic() - firstAtMs < coldMs)
  const furnish = (): void => {
    const whole = limit.measuring * pressed
    priorityClasses.forEach((_class, rank) => (rooms[rank] = toRoom(whole, rank)))
    // However small the limit is, the most important find a place that the others cannot have.
    rooms[0] = Math.max(Math.floor(limit.value), rooms[1]! + 1)
  }
  const isFull = (rank: number): boolean => inside.size >= rooms[rank]!
  const isKindFull = ({ rank, kind }: Visit): boolean => {
    if (rank === 0) return false
    const { inside: alike, value } = kind.limits[name]
    return alike >= toRoom(limit.isMeasuring ? value * measuredShare : value, rank)
  }
  const begin = (visit: Visit, nowMs: number): void => {
    entered += 1
    firstAtMs ??= nowMs
    if (visit.wait !== undefined) paces[visit.rank]!.took()
    inside.add(visit)
    limit.began(inside.size)
    visit.kind.limits[name].began()
    visit.isInside = true
    visit.lane = name
    visit.enteredAtMs = nowMs
    visit.generation = limit.generation
  }
  const count = (nowMs: number): void => {
    waiting = 0
    queues.forEach((queue, rank) => {
      waiting += queue.size
      paces[rank]!.awaited(queue.size > 0, nowMs)
    })
  }
  const isWelcome = (visit: Visit): boolean => !isKindFull(visit)
  /** Who is let in may leave at once and free the next place; this loop sees it, so that nothing nests. */
  const handOut = (nowMs: number): void => {
    if (handingOut) return
    handingOut = true
    for (let rank = 0; rank < queues.length; rank += 1) {
      while (!isFull(rank)) {
        const visit = queues[rank]!.take(nowMs, isWelcome)
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
    const nowMs = clock.monotonic()
    for (const { kind, generation, enteredAtMs } of inside)
      yield { profile: kind.profiles[name], generation, ageMs: nowMs - enteredAtMs }
  }
  const decide = (nowMs: number): void => {
    if (limit.decide(nowMs, listInside)) furnish()
  }
  const hear = ({ kind, enteredAtMs, generation }: Visit, nowMs: number): void => {
    const profile = kind.profiles[name]
    const tookMs = nowMs - enteredAtMs
    limit.answered(profile, tookMs, generation)
    if (profile.base === undefined || limit.isMeasuring) return
    const logRatio = Math.log(tookMs + latencySlackMs) - profile.base
    const tolerated = Math.max(latencyFactor, limit.gradient)
    kind.limits[name].answered(logRatio, { enteredAtMs, nowMs, tolerated, most: limit.value, limitMin })
  }
  furnish()

  return {
    inside,
    get isAwaited() {
      return waiting > 0
    },
    enter(visit) {
      if (isFull(visit.rank) || isKindFull(visit)) return false
      const nowMs = clock.monotonic()
      // Where not all can be served, the place that happens to be free is not for whoever asks most often.
      if (nowMs - fullAtMs < fullMs && queues[visit.rank]!.stands(nowMs)) return false
      begin(visit, nowMs)
      return true
    },
    wait(visit) {
      const nowMs = clock.monotonic()
      const full = isFull(visit.rank)
      if (full) fullAtMs = nowMs
      else if (isKindFull(visit)) visit.kind.limits[name].missed()
      limit.missed(full)
      queues[visit.rank]!.push(visit, nowMs)
      const wasEmpty = waiting === 0
      count(nowMs)
      if (waiting > 0 && !isFull(visit.rank)) handOut(nowMs)
      if (wasEmpty && waiting > 0) onWaiting()
    },
    leave(visit, outcome) {
      if (!visit.isInside) return
      visit.isInside = false
      inside.delete(visit)
      visit.kind.limits[name].left()
      const nowMs = clock.monotonic()
      limit.left(inside.size)
      if (outcome === 'answered') hear(visit, nowMs)
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
