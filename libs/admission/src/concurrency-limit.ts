import { createMeasurement } from './measurement.ts'
import type { Profile, Pull } from './profile.ts'
import { Window } from './window.ts'

export type ConcurrencyLimitOptions = {
  /** What a node begins with, and keeps while it has little to do. */
  readonly limitInitial: number
  readonly limitMin: number
  readonly limitMax: number
  /** How many times its unhindered latency a request may take before the limit shrinks. */
  readonly latencyFactor: number
  /** Added to every latency before they are compared: below this, waiting for each other is batching. */
  readonly latencySlackMs: number
  /** Shortest time between two decisions. */
  readonly windowMs: number
  /** Longest time under load until latency is measured anew with few requests at once. */
  readonly probeMs: number
}

/** Somebody who has not been answered yet. */
export type Inside = { readonly profile: Profile; readonly generation: number; readonly ageMs: number }

export type ConcurrencyLimit = {
  /** How many requests may run at once now, with fractions. */
  readonly value: number
  /** The same, while latency is measured with few (`isMeasuring`): for requests that can wait. */
  readonly measuring: number
  readonly isMeasuring: boolean
  /** Counts the changes: who began under another limit tells nothing about this one. */
  readonly generation: number
  /** Latency of the last window as a multiple of the unhindered one. */
  readonly gradient: number
  /** `inFlight` requests run now, one of which has just begun. */
  began(inFlight: number): void
  /** Somebody found no place: because all were taken (`isFull`), or all that those of its kind may have. */
  missed(isFull?: boolean): void
  /** A request of this kind that entered under limit number `generation` was answered after `latencyMs`. */
  answered(profile: Profile, latencyMs: number, generation: number): void
  /** A request was answered "unavailable" or "too late" by what is behind. */
  failed(): void
  /** A request has gone, however; `inFlight` are left. */
  left(inFlight: number): void
  /** Ends the window if its time has come, and looks at who is still `inside`; returns whether the limit is another now. */
  decide(nowMs: number, inside?: () => Iterable<Inside>): boolean
}

const nobody = (): Iterable<Inside> => []

const samplesMin = 10
/** A window in which too few were answered ends after so many times its length; under load it has more patience. */
const [windowsMax, loadedWindowsMax] = [20, 100]
const [shrinkMost, growMost] = [0.5, 1.5]
/** While a window is short of load the limit goes back this much of the way to what is needed. */
const relaxation = 0.1
/** A window with this share of failures shrinks the limit, however fast they were. */
const [failureShare, failureFactor] = [0.1, 0.7]
/** From this share of the limit on, what runs is held back by it. */
const loadedShare = 0.8
/** Who is inside for so many times what is usual is heard before it is answered. */
const overdue = 1.5

/** A trial is over when so much of the limit is left at most. */
const trialShare = 0.75
/** So few at once hardly stand in each other's way. */
const fewInside = 2

/** How far a window moves what a kind is known to take without load: while there is little to do, or enough; */
const [relaxed, busy]: readonly [Pull, Pull] = [
  { up: 0.05, down: 0.5 },
  { up: 0, down: 0.5 },
]
/** under load, and where only one at a time runs; */
const [loaded, alone]: readonly [Pull, Pull] = [
  { up: 0, down: 0.05 },
  { up: 0.2, down: 0.2 },
]
/** when fewer were no faster, by the throughput, or by a measurement; and when they were. */
const [proved, measuredSame, measuredFaster]: readonly [Pull, Pull, Pull] = [
  { up: 0.5, down: 0.05 },
  { up: 0.5, down: 0.8 },
  { up: 0, down: 0.8 },
]

/**
 * Finds out how many requests are best run at once, in the manner of TCP Vegas and of gradient limits: while latency
 * under load stays within `latencyFactor` of the unhindered one, more are let in, and beyond that fewer. Rates play no
 * part. Latencies are compared as logarithms, each with those of its own kind, so one slow request is one voice.
 *
 * It grows only when as many have been heard as may run at once, or quick requests would speak for slow ones that are still
 * inside. It shrinks on trial: where that only costs throughput, latency was made elsewhere (a machine short of processor
 * time), and the limit comes back.
 *
 * Unhindered latency is learned while there is little to do, and is believed to be higher than it was only where that is
 * proved: because hardly anything else runs, because shrinking has not helped, or because half as many take as long. For
 * that it is measured now and then under lasting load (`measuring`). Else the latency of a long rush would become what is
 * usual, more would be let in, and so on.
 *
 * A limit that is not used goes back to twice what is needed, so that a spike finds no open door.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const { limitInitial, limitMin, limitMax, latencyFactor, latencySlackMs, windowMs, probeMs } = options
  let value = limitInitial
  let generation = 0
  /** When the limit last shrank. */
  let shrunkAt = 0
  let gradient = 1
  const window = new Window()
  /** Answers since the limit last changed. */
  let answersToThis = 0
  /** What the limit was before it began to shrink, and how many went a millisecond then. */
  let trial: { readonly value: number; readonly perMs: number } | undefined
  /** Whether more run than may since it shrank. */
  let draining = false
  const measurement = createMeasurement({ windowMs, probeMs })

  /**
   * Who is inside for longer than usual already is a voice too, or the quick ones would speak for those who stand. It is
   * heard in each window of its stay, so in all of them together about as loudly as by an answer.
   */
  const hear = ({ profile, generation: of, ageMs }: Inside, tookMs: number): void => {
    if (of < shrunkAt || profile.base === undefined) return
    const longer = Math.log(ageMs + latencySlackMs) - profile.base
    if (longer < Math.log(overdue)) return
    window.compare(longer, Math.min(1, tookMs / ageMs))
  }
  const measuringOf = (): number => (measurement.isOn ? measurement.places : value)

  const turn = (): number => {
    const { answers, failures, gone, hasMissed } = window
    if (answers === 0) return failures > 0 || (hasMissed && gone === 0) ? failureFactor : 1
    gradient = window.ratio ?? gradient
    const factor = Math.min(growMost, Math.max(shrinkMost, latencyFactor / gradient))
    return failures > failureShare * (answers + failures) ? Math.min(factor, failureFactor) : factor
  }
  /** Whether a figure that was `before` at one limit has gone down with the limit about as much as that has. */
  const hasGoneAlong = (now: number, before: number, [to, from]: readonly [number, number]): boolean =>
    now < before * Math.sqrt(Math.floor(to) / Math.floor(from))
  const underLoad = (factor: number, tookMs: number): number => {
    const perMs = window.gone / tookMs
    // The quick ones answer first: until as many have as may run at once, the slow ones have not been heard.
    const isHeard = answersToThis >= value
    if (trial !== undefined && isHeard && value <= trialShare * trial.value) {
      const before = trial
      trial = undefined
      // Shrinking has cost about as much throughput as places: latency was not made by what ran at once.
      if (hasGoneAlong(perMs, before.perMs, [value, before.value])) {
        window.settle(proved)
        return before.value
      }
    }
    window.settle(value < 2 ? alone : loaded)
    if (!isHeard && (factor > 1 || trial !== undefined)) return value
    if (factor > 1) trial = undefined
    else if (factor < 1 && window.answers > 0) trial ??= { value, perMs }
    draining = factor < 1
    return value * factor
  }
  const relax = (): number => {
    trial = undefined
    return value + relaxation * (Math.max(limitInitial, 2 * window.peak) - value)
  }
  const atRest = (): number => {
    window.settle(window.peak <= fewInside || gradient <= latencyFactor ? relaxed : busy)
    measurement.atRest()
    return relax()
  }
  /** There is room, but not for all kinds. */
  const underLoadOfKinds = (): number => {
    window.settle(loaded)
    return relax()
  }
  const endMeasurement = (nowMs: number): void => {
    const now = window.ratio ?? gradient
    window.settle(hasGoneAlong(now, gradient, [measurement.places, measurement.from]) ? measuredFaster : measuredSame)
    trial = undefined
    measurement.end(nowMs)
  }
  const next = (nowMs: number, tookMs: number): void => {
    if (measurement.isOn) return endMeasurement(nowMs)
    const { peak, hasMissed, hasMissedKind } = window
    const factor = turn()
    const isLoaded = hasMissed || peak >= loadedShare * value
    const isCrowded = hasMissedKind && factor < 1
    if (isLoaded || hasMissedKind) measurement.underLoad(nowMs, Math.min(value, peak))
    // All take too long, although some kinds were held back already: it is what runs that is too much.
    if (isCrowded && !isLoaded) value = peak
    const wanted = isLoaded || isCrowded ? underLoad(factor, tookMs) : hasMissedKind ? underLoadOfKinds() : atRest()
    value = Math.min(limitMax, Math.max(limitMin, wanted))
  }

  return {
    get value() {
      return value
    },
    get measuring() {
      return measuringOf()
    },
    get isMeasuring() {
      return measurement.isOn
    },
    get generation() {
      return generation
    },
    get gradient() {
      return gradient
    },
    began(inFlight) {
      if (inFlight > window.peak) window.peak = inFlight
    },
    missed(isFull = true) {
      if (isFull) window.hasMissed = true
      else window.hasMissedKind = true
    },
    answered(profile, latencyMs, of) {
      if (of < shrunkAt) return
      window.answered(profile, Math.log(Math.max(0, latencyMs) + latencySlackMs))
      if (of === generation) answersToThis += 1
    },
    failed() {
      window.failures += 1
    },
    left(inFlight) {
      window.gone += 1
      if (!draining || inFlight > value) return
      draining = false
      window.startMs = undefined
    },
    decide(nowMs, inside = nobody) {
      if (window.startMs === undefined) window.begin(nowMs)
      const tookMs = nowMs - window.startMs!
      if (tookMs < windowMs) return false
      const patienceMs = windowMs * (window.hasMissed && !measurement.isOn ? loadedWindowsMax : windowsMax)
      if (window.answers + window.failures < samplesMin && tookMs < patienceMs) return false
      if (measurement.isOn && tookMs < patienceMs && !measurement.isComplete(nowMs, inside(), generation)) return false
      const before = measuringOf()
      for (const each of inside()) hear(each, tookMs)
      next(nowMs, tookMs)
      window.begin(nowMs)
      const isOther = Math.floor(measuringOf()) !== Math.floor(before)
      if (!isOther) return false
      generation += 1
      if (Math.floor(measuringOf()) < Math.floor(before)) shrunkAt = generation
      answersToThis = 0
      return true
    },
  }
}
