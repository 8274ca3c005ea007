import type { Profile, Pull } from './profile.ts'

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
  /** The same, while latency is measured with few: for requests that can wait. */
  readonly measuring: number
  /** Counts the changes: who began under another limit tells nothing about this one. */
  readonly generation: number
  /** Latency of the last window as a multiple of the unhindered one. */
  readonly gradient: number
  /** `inFlight` requests run now, one of which has just begun. */
  began(inFlight: number): void
  /** Somebody found no place. */
  missed(): void
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
const probeShare = 0.25
const firstProbeMs = 1_000
/** Who is inside for so many times what is usual is heard before it is answered. */
const overdue = 1.5

const relaxed: Pull = { up: 0.05, down: 0.5 }
const settled: Pull = { up: 0.2, down: 0.2 }
const loaded: Pull = { up: 0, down: 0.05 }
const probed: Pull = { up: 0.5, down: 0.8 }

/**
 * Finds out how many requests are best run at once, in the manner of TCP Vegas and of gradient limits: while latency
 * under load stays within `latencyFactor` of the unhindered one, more are let in, and beyond that fewer. Rates play no
 * part. Latencies are compared as logarithms, each with those of its own kind, so one slow request is one voice.
 *
 * It grows only when as many have been heard as may run at once, or quick requests would speak for slow ones that are still
 * inside. It shrinks on trial: where that only costs throughput, latency was made elsewhere (a machine short of processor
 * time), and the limit comes back.
 *
 * Unhindered latency is learned while there is little to do. Under lasting load it is measured now and then with a
 * quarter of the requests (`measuring`); and if latency stays high although hardly anything runs, it is the new normal.
 * A limit that is not used goes back to twice what is needed, so that a spike finds no open door.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const { limitInitial, limitMin, limitMax, latencyFactor, latencySlackMs, windowMs, probeMs } = options
  let value = limitInitial
  let generation = 0
  /** When the limit last shrank. */
  let shrunkAt = 0
  let gradient = 1
  const touched: Profile[] = []
  let [compared, logRatios, answers, failures, peak, gone] = [0, 0, 0, 0, 0, 0]
  /** Answers since the limit last changed. */
  let answersToThis = 0
  /** What the limit was before it shrank, and how many went a millisecond then. */
  let former: { readonly value: number; readonly perMs: number } | undefined
  /** Whether more run than may since it shrank. */
  let draining = false
  let hasMissed = false
  let windowStartMs: number | undefined
  let probing = false
  /** Since when only those are inside who entered for the measurement. */
  let probedSinceMs: number | undefined
  let [nextProbeMs, probeGapMs] = [Number.POSITIVE_INFINITY, firstProbeMs]

  const begin = (nowMs: number): void => {
    for (const profile of touched.splice(0)) profile.clear()
    compared = logRatios = answers = failures = peak = gone = 0
    hasMissed = false
    windowStartMs = nowMs
  }
  /**
   * Who is inside for longer than usual already is a voice too, or the quick ones would speak for those who stand. It is
   * heard in each window of its stay, so in all of them together about as loudly as by an answer.
   */
  const hear = ({ profile, generation: of, ageMs }: Inside, tookMs: number): void => {
    if (of < shrunkAt || profile.base === undefined) return
    const longer = Math.log(ageMs + latencySlackMs) - profile.base
    if (longer < Math.log(overdue)) return
    const weight = Math.min(1, tookMs / ageMs)
    compared += weight
    logRatios += weight * longer
  }
  const settle = (pull: Pull): void => touched.forEach((profile) => profile.settle(pull))
  const measuringOf = (): number => (probing ? Math.max(limitMin, value * probeShare) : value)

  const turn = (): number => {
    if (answers === 0) return failures > 0 || (hasMissed && gone === 0) ? failureFactor : 1
    if (compared > 0) gradient = Math.exp(logRatios / compared)
    const factor = Math.min(growMost, Math.max(shrinkMost, latencyFactor / gradient))
    return failures > failureShare * (answers + failures) ? Math.min(factor, failureFactor) : factor
  }
  const underLoad = (nowMs: number, tookMs: number): number => {
    const perMs = gone / tookMs
    if (nextProbeMs === Number.POSITIVE_INFINITY) nextProbeMs = nowMs + probeGapMs
    // The quick ones answer first: until as many have as may run at once, the slow ones have not been heard.
    const isHeard = answersToThis >= value
    if (former !== undefined && isHeard) {
      const before = former
      former = undefined
      // Shrinking has cost about as much throughput as places: latency was not made by what ran at once.
      if (perMs < before.perMs * Math.sqrt(value / before.value)) return before.value
    }
    const factor = turn()
    // With so few inside latency is not made by what runs at once: it is what there is.
    settle(value <= 2 * limitMin ? settled : loaded)
    if (!isHeard && (factor > 1 || former !== undefined)) return value
    if (factor < 1 && answers > 0) former = { value, perMs }
    draining = factor < 1
    return value * factor
  }
  const atRest = (): number => {
    turn()
    settle(relaxed)
    former = undefined
    nextProbeMs = Number.POSITIVE_INFINITY
    probeGapMs = probeMs
    return value + relaxation * (Math.max(limitInitial, 2 * peak) - value)
  }
  const endProbe = (nowMs: number): void => {
    settle(probed)
    former = undefined
    probing = false
    probedSinceMs = undefined
    probeGapMs = Math.min(probeMs, probeGapMs * 2)
    nextProbeMs = nowMs + probeGapMs
  }
  /** Whether all who entered in the first window of a measurement have been heard. */
  const isMeasured = (nowMs: number, inside: () => Iterable<Inside>): boolean => {
    for (const { generation: of, ageMs } of inside()) {
      if (of >= 0 && of < generation && probedSinceMs === undefined) return false
      if (probedSinceMs !== undefined && ageMs >= nowMs - probedSinceMs - windowMs) return false
    }
    probedSinceMs ??= nowMs
    return nowMs - probedSinceMs >= windowMs
  }
  const next = (nowMs: number, tookMs: number): void => {
    const isLoaded = hasMissed || peak >= loadedShare * value
    if (probing) return endProbe(nowMs)
    value = Math.min(limitMax, Math.max(limitMin, isLoaded ? underLoad(nowMs, tookMs) : atRest()))
    probing = nowMs >= nextProbeMs
  }

  return {
    get value() {
      return value
    },
    get measuring() {
      return measuringOf()
    },
    get generation() {
      return generation
    },
    get gradient() {
      return gradient
    },
    began(inFlight) {
      if (inFlight > peak) peak = inFlight
    },
    missed() {
      hasMissed = true
    },
    answered(profile, latencyMs, of) {
      if (of < shrunkAt) return
      const logMs = Math.log(Math.max(0, latencyMs) + latencySlackMs)
      if (profile.count === 0) touched.push(profile)
      profile.add(logMs)
      answers += 1
      if (of === generation) answersToThis += 1
      if (profile.base === undefined) return
      compared += 1
      logRatios += logMs - profile.base
    },
    failed() {
      failures += 1
    },
    left(inFlight) {
      gone += 1
      if (!draining || inFlight > value) return
      draining = false
      windowStartMs = undefined
    },
    decide(nowMs, inside = nobody) {
      if (windowStartMs === undefined) begin(nowMs)
      const tookMs = nowMs - windowStartMs!
      if (tookMs < windowMs) return false
      const patienceMs = windowMs * (hasMissed && !probing ? loadedWindowsMax : windowsMax)
      if (answers + failures < samplesMin && tookMs < patienceMs) return false
      if (probing && tookMs < patienceMs && !isMeasured(nowMs, inside)) return false
      const before = measuringOf()
      for (const each of inside()) hear(each, tookMs)
      next(nowMs, tookMs)
      begin(nowMs)
      const isOther = Math.floor(measuringOf()) !== Math.floor(before)
      if (!isOther) return false
      generation += 1
      if (Math.floor(measuringOf()) < Math.floor(before)) shrunkAt = generation
      answersToThis = 0
      return true
    },
  }
}
