import { type FairShares, halfLifeMs } from './fair-shares.ts'
import type { MissReason, Visit } from './visit.ts'

export type WaitQueueOptions = {
  /** Most that wait. */
  readonly queueMax: number
  /** How long one may wait in a burst. */
  readonly waitMs: number
  /** How long one may wait when the queue stands: there is more to do than can be done. */
  readonly standingWaitMs: number
}

export type WaitQueueDeps = {
  readonly shares: FairShares
  /** How many can get a place within so many milliseconds; infinite while that is not known. */
  readonly roomFor: (ms: number) => number
}

type Waiting = {
  readonly visit: Visit
  readonly turn: number
  /** The turn as a logarithm, which the time that has passed makes comparable with turns of those who come later. */
  readonly order: number
  /** Whether its caller had much less than those who are served. */
  readonly isOwed: boolean
  readonly sinceMs: number
  readonly number: number
}

/** A queue that takes longer to work off than this share of the longest wait in a burst stands. */
const burstShare = 0.1
/** Nor may it take longer than this share for as long as that. */
const lastingShare = 0.04
/** So few do not stand, whatever they take, unless none of them got a place for this share of the longest wait. */
const [fewPlaces, stuckShare] = [20, 0.2]
/** How long it stands at least, and the share of those put out meanwhile from which on it goes on to. */
const [standingMinMs, toleratedShare] = [1_000, 0.4]
/** A caller may have had so many times what is usual, and so many places more, while the queue stands. */
const [unusual, unusualPlaces] = [1.4, 4]
/** Who had so many times less than what is usual, and some places besides, may wait longer. */
const [owed, owedPlaces] = [4, 12]
/** How much the last one that is served says about what is usual; not much less, or a lone caller outruns it. */
const novelty = 0.2
/** When nobody was served for so long, the others have gone and what is usual is over. */
const usualMs = 100

/** Requests of one class that wait for a place. */
export type WaitQueue = {
  readonly size: number
  /** Whether there is lastingly more to do than can be done. */
  stands(nowMs: number): boolean
  /** Lets it wait. Who is put out for it, perhaps itself, is told. */
  push(visit: Visit, nowMs: number): void
  /** Whose turn it is of those for whom there is room. Those who are late or gone are told and passed over. */
  take(nowMs: number, hasRoom: (visit: Visit) => boolean): Visit | undefined
  /** Tells those who have waited too long. */
  dropLate(nowMs: number): void
}

/**
 * A queue that cannot stand, in the manner of CoDel and of adaptive LIFO. What matters is how long it takes to work off, by
 * the pace at which its class gets places, not how many wait: a burst, or a crowd of whom each sends its next request
 * after the last answer, is first come, first served. It stands when that takes a tenth of `waitMs`, or less than half of
 * it when it has not been empty for a while, until few had to be put out for a second. Then nobody waits longer than
 * `standingWaitMs`, and who came last is served first, since the others have lost their time already. In both, whoever had
 * least lately comes before those who had more, and is the last to be put out; it does not lose its patience because
 * others ask too much.
 */
export function createWaitQueue(options: WaitQueueOptions, { shares, roomFor }: WaitQueueDeps): WaitQueue {
  const { queueMax, waitMs, standingWaitMs } = options
  const waiting: Waiting[] = []
  let emptyAtMs = 0
  /** When it last took no longer than it may lastingly. */
  let shortAtMs = 0
  /** Since it stands: what happened in the present second. */
  let standing: { readonly sinceMs: number; came: number; putOut: number } | undefined
  let number = 0
  /** What those who are served had before, on average. */
  let usualTurn = 0
  let tookAtMs = Number.NEGATIVE_INFINITY

  const isTooLong = (nowMs: number): boolean => {
    const isStuck = nowMs - Math.max(emptyAtMs, tookAtMs) > waitMs * stuckShare
    const isLongerThan = (share: number): boolean =>
      waiting.length > Math.max(isStuck ? 1 : fewPlaces, roomFor(waitMs * share))
    if (!isLongerThan(lastingShare)) shortAtMs = nowMs
    return isLongerThan(nowMs - Math.max(emptyAtMs, shortAtMs) > waitMs * burstShare ? lastingShare : burstShare)
  }
  const begins = (nowMs: number) => ({ sinceMs: nowMs, came: 0, putOut: 0 })
  const stands = (nowMs: number): boolean => {
    if (standing !== undefined && nowMs - standing.sinceMs > standingMinMs)
      standing = standing.putOut > toleratedShare * standing.came ? begins(nowMs) : undefined
    if (standing === undefined && isTooLong(nowMs)) standing = begins(nowMs)
    return standing !== undefined
  }
  const patience = (isOwed: boolean, nowMs: number): number => {
    if (!stands(nowMs)) return Math.max(waitMs, standingWaitMs)
    return isOwed ? Math.max(waitMs * lastingShare, standingWaitMs) : standingWaitMs
  }
  const removeAt = (index: number, nowMs: number): Visit => {
    const { visit } = waiting[index]!
    const last = waiting.pop()!
    if (index < waiting.length) waiting[index] = last
    if (waiting.length === 0) emptyAtMs = nowMs
    shares.waits(visit.wait!.caller, -1)
    return visit
  }
  const putOut = (index: number, nowMs: number, reason: MissReason): void => {
    if (nowMs - waiting[index]!.sinceMs > waitMs) standing ??= begins(nowMs)
    if (standing !== undefined) standing.putOut += 1
    removeAt(index, nowMs).wait!.settle(reason)
  }
  /** The place of the one for which `isBefore` holds against all others. */
  const findFirst = (isBefore: IsBefore, counts: (visit: Visit) => boolean = everybody): number => {
    let found = -1
    waiting.forEach((each, index) => {
      if (counts(each.visit) && (found === -1 || isBefore(each, waiting[found]!))) found = index
    })
    return found
  }
  const isLate = ({ visit, sinceMs, isOwed }: Waiting, nowMs: number): boolean =>
    nowMs - sinceMs > patience(isOwed, nowMs) || nowMs >= visit.wait!.deadlineMs || visit.wait!.isGone()

  return {
    get size() {
      return waiting.length
    },
    stands,
    push(visit, nowMs) {
      if (waiting.length === 0) emptyAtMs = nowMs
      const { caller } = visit.wait!
      const turn = shares.turnOf(caller, nowMs)
      // A queue that stands is too short to hold one of everybody: who had much more than others is not let in it.
      if (nowMs - tookAtMs >= usualMs) usualTurn = Math.max(usualTurn, turn)
      const isStanding = stands(nowMs)
      if (standing !== undefined) standing.came += 1
      if (turn > usualTurn * unusual + unusualPlaces && isStanding) {
        standing!.putOut += 1
        return visit.wait!.settle('full')
      }
      const isOwed = turn * owed + owedPlaces < usualTurn
      const order = Math.log2(1 + turn) + nowMs / halfLifeMs
      waiting.push({ visit, turn, order, isOwed, sinceMs: nowMs, number: (number += 1) })
      shares.waits(caller, 1)
      const few = isStanding ? 1 : fewPlaces
      if (waiting.length <= Math.min(queueMax, Math.max(few, roomFor(patience(isOwed, nowMs))))) return
      putOut(findFirst(stands(nowMs) ? isLastStanding : isLastInLine), nowMs, 'full')
    },
    take(nowMs, hasRoom) {
      for (;;) {
        const index = findFirst(stands(nowMs) ? isFirstStanding : isFirstInLine, hasRoom)
        if (index === -1) return undefined
        if (isLate(waiting[index]!, nowMs)) {
          putOut(index, nowMs, 'late')
          continue
        }
        tookAtMs = nowMs
        usualTurn += novelty * (waiting[index]!.turn - usualTurn)
        const visit = removeAt(index, nowMs)
        shares.began(visit.wait!.caller, nowMs)
        return visit
      }
    },
    dropLate(nowMs) {
      for (let index = waiting.length - 1; index >= 0; index -= 1)
        if (isLate(waiting[index]!, nowMs)) putOut(index, nowMs, 'late')
    },
  }
}

type IsBefore = (left: Waiting, right: Waiting) => boolean
const everybody = (): boolean => true

const isFirstInLine = (left: Waiting, right: Waiting): boolean =>
  left.order === right.order ? left.number < right.number : left.order < right.order
const isFirstStanding = (left: Waiting, right: Waiting): boolean =>
  left.turn === right.turn ? left.number > right.number : left.turn < right.turn
const isLastInLine = (left: Waiting, right: Waiting): boolean => isFirstInLine(right, left)
const isLastStanding = (left: Waiting, right: Waiting): boolean => isFirstStanding(right, left)
