import type { Clock } from '@pando/core/clock'
import { createFairShares } from './fair-shares.ts'
import { createLane, type LaneOptions, type LaneState } from './lane.ts'
import type { Outcome, Visit } from './visit.ts'

export type GateOptions = LaneOptions & {
  readonly callersMax: number
  /** Who is inside for so long while others wait gives its place back. */
  readonly slowMs: number
  /** Most requests that are inside without a place of the quick. */
  readonly slowMax: number
}

export type GateDeps = {
  readonly options: GateOptions
  readonly clock: Clock
  /** Called when somebody begins to wait in an empty house: from then on `look` must be called every few milliseconds. */
  readonly onWaiting?: () => void
}

/** Of the quick, and of those who take long. */
export type GateState = LaneState & { readonly slow: LaneState }

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

/** A kind that takes less than this share of `slowMs` when nothing is in its way is a quick one. */
const quickShare = 0.5

/**
 * A gate has two lanes, each with a limit and queues of its own. Requests that take seconds mostly wait for something else
 * than this node, and would keep all places while quick ones stand behind them: after `slowMs` whoever is inside goes on in
 * the lane of the slow, and a kind of which most take that long begins there; not one that is known to be quick.
 */
export function createGate({ options, clock, onWaiting }: GateDeps): Gate {
  const { slowMs, slowMax } = options
  let isWatched = false
  const common = {
    clock,
    shares: createFairShares(options.callersMax),
    onWaiting: () => {
      if (!isWatched) onWaiting?.()
      isWatched = true
    },
  }
  const atMost = (limit: number): number => Math.min(limit, slowMax)
  const slow = createLane({
    ...common,
    name: 'slow',
    options: {
      ...options,
      limitInitial: atMost(options.limitInitial),
      limitMin: atMost(options.limitMin),
      limitMax: atMost(options.limitMax),
    },
  })
  const quick = createLane({ ...common, name: 'quick', options, divert })
  const lanes = { quick, slow } as const

  /** That it takes long is because there is too much to do: more of them at once would only make that worse. */
  const isHindered = ({ kind }: Visit): boolean => {
    const { base } = kind.profiles.quick
    return base !== undefined && Math.exp(base) < slowMs * quickShare
  }
  const insideMs = ({ enteredAtMs }: Visit): number => clock.monotonic() - enteredAtMs

  /** Its kind has turned out to be slow while it waited. */
  function divert(visit: Visit): boolean {
    if (!visit.kind.isSlow) return false
    visit.lane = 'slow'
    if (slow.enter(visit)) visit.wait!.settle(undefined)
    else slow.wait(visit)
    return true
  }
  const makeRoom = (): void => {
    if (!quick.isAwaited) return
    for (const visit of quick.inside) {
      if (insideMs(visit) < slowMs || slow.inside.size >= slowMax) return
      if (isHindered(visit)) continue
      const { enteredAtMs } = visit
      visit.kind.tell(true)
      quick.leave(visit, 'other')
      slow.letIn(visit)
      visit.enteredAtMs = enteredAtMs
    }
  }

  return {
    enter(visit) {
      visit.lane = visit.kind.isSlow ? 'slow' : 'quick'
      return lanes[visit.lane].enter(visit)
    },
    wait: (visit) => lanes[visit.lane].wait(visit),
    leave(visit, outcome) {
      if (!visit.isInside) return
      const wasSlow = insideMs(visit) >= slowMs
      if (wasSlow || outcome === 'answered') visit.kind.tell(wasSlow && !isHindered(visit))
      lanes[visit.lane].leave(visit, outcome)
    },
    comeBack(visit) {
      if (!visit.isInside) lanes[visit.lane].letIn(visit)
    },
    look() {
      makeRoom()
      quick.look()
      slow.look()
      return (isWatched = quick.isAwaited || slow.isAwaited)
    },
    press(share) {
      quick.press(share)
      slow.press(share)
    },
    state: () => ({ ...quick.state(), slow: slow.state() }),
  }
}
