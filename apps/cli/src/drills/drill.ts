import type { Fleet, FleetNeeds } from './fleet/fleet.ts'
import type { PhaseFigures } from './load/figures.ts'
import type { Sent } from './load/open-loop.ts'
import type { Losses } from './losses.ts'

/** Something bad that is done on purpose, to see what becomes of the promises. */
export type Drill = {
  readonly name: string
  /** One line for people. */
  readonly about: string
  readonly needs: FleetNeeds
  run(stage: Stage): Promise<Found>
}

export type Stage = {
  readonly fleet: Fleet
  /** Of each phase. */
  readonly seconds: number
  /** How often the bad thing happens. */
  readonly rounds: number
  readonly seed: number
  /** Of phones that do nothing. */
  readonly connections: number
  /** Aborts when the drill is to end now; the two below throw then. */
  readonly stopped: AbortSignal
  /** Says what happens now. */
  step(text: string): void
  wait(seconds: number): Promise<void>
}

/** A promise, and the figure that keeps or breaks it. */
export type Check = {
  readonly name: string
  /** Null when it was never reached. */
  readonly figure: number | null
  readonly unit: string
  /** What it may be. */
  readonly most?: number
  readonly least?: number
  /** Says nothing when the generator of the load was late. */
  readonly isTimed: boolean
}

export type Found = {
  /** The promise in words, as `docs/reliability.md` has it. */
  readonly promise: string
  readonly checks: readonly Check[]
  readonly phases: readonly PhaseFigures[]
  readonly sent: readonly Sent[]
  readonly losses?: Losses
}

export type Verdict = 'kept' | 'broken' | 'void'

export type Report = {
  readonly drill: string
  readonly promise: string
  /** `pass` when every check is kept; `fail` when one is broken. */
  readonly outcome: 'pass' | 'fail' | 'void'
  readonly checks: readonly (Check & { readonly verdict: Verdict })[]
  readonly generatorLateP99Ms: number
  readonly steps: readonly { readonly atMs: number; readonly text: string }[]
  readonly phases: readonly PhaseFigures[]
  readonly seconds: readonly { readonly answered: number; readonly p99Ms: number }[]
  readonly histogram: readonly { readonly maxMs: number | null; readonly count: number }[]
  /** Why requests failed or were refused, and how many. */
  readonly failures: Readonly<Record<string, number>>
  readonly losses?: Losses
  readonly seed: number
  readonly nodes: number
}

/** A generator that was later than this, at the 99th percentile, has measured itself. */
export const lateMsMax = 5

export function judge(check: Check, generatorLateMs: number): Verdict {
  if (check.isTimed && generatorLateMs > lateMsMax) return 'void'
  const { figure, most = Infinity, least = -Infinity } = check
  return figure !== null && figure <= most && figure >= least ? 'kept' : 'broken'
}
