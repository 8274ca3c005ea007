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
  /** A request of this kind was answered after `latencyMs`. */
  answered(profile: Profile, latencyMs: number): void
  /** A request was answered "unavailable" or "too late" by what is behind. */
  failed(): void
  /** Ends the window if its time has come; returns whether the limit is another now. */
  decide(nowMs: number): boolean
}

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

const relaxed: Pull = { up: 0.2, down: 0.2 }
const loaded: Pull = { up: 0, down: 0.5 }
const probed: Pull = { up: 0.5, down: 0.8 }

/**
 * Finds out how many requests are best run at once, in the manner of TCP Vegas and of gradient limits: while latency
 * under load stays within `latencyFactor` of the unhindered one, more are let in, and beyond that fewer. Rates play no
 * part. Latencies are compared as logarithms, each with those of its own kind, so one slow request is one voice.
 *
 * Unhindered latency is learned while there is little to do. Under lasting load it is measured now and then with a
 * quarter of the requests (`measuring`); and if latency stays high although hardly anything runs, it is the new normal.
 * A limit that is not used goes back to twice what is needed, so that a spike finds no open door.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const { limitInitial, limitMin, limitMax, latencyFactor, latencySlackMs, windowMs, probeMs } = options
  let value = limitInitial
  let generation = 0
  let gradient = 1
  const touched: Profile[] = []
  let [compared, logRatios, answers, failures, peak] = [0, 0, 0, 0, 0]
  let hasMissed = false
  let windowStartMs: number | undefined
  let probing = false
  let [nextProbeMs, probeGapMs] = [Number.POSITIVE_INFINITY, firstProbeMs]

  const begin = (nowMs: number): void => {
    touched.length = 0
    compared = logRatios = answers = failures = peak = 0
    hasMissed = false
    windowStartMs = nowMs
  }
  const settle = (pull: Pull): void => touched.forEach((profile) => profile.settle(pull))
  const measuringOf = (): number => (probing ? Math.max(limitMin, value * probeShare) : value)

  const turn = (): number => {
    if (answers === 0) return hasMissed || failures > 0 ? failureFactor : 1
    if (compared > 0) gradient = Math.exp(logRatios / compared)
    const factor = Math.min(growMost, Math.max(shrinkMost, latencyFactor / gradient))
    return failures > failureShare * (answers + failures) ? Math.min(factor, failureFactor) : factor
  }
  const underLoad = (nowMs: number): number => {
    const factor = turn()
    // Where hardly anything runs at once, latency is not made by what runs at once.
    settle(value <= limitMin && factor < 1 ? relaxed : loaded)
    if (nextProbeMs === Number.POSITIVE_INFINITY) nextProbeMs = nowMs + probeGapMs
    return value * factor
  }
  const atRest = (): number => {
    turn()
    settle(relaxed)
    nextProbeMs = Number.POSITIVE_INFINITY
    probeGapMs = probeMs
    return value + relaxation * (Math.max(limitInitial, 2 * peak) - value)
  }
  const endProbe = (nowMs: number): void => {
    settle(probed)
    probing = false
    probeGapMs = Math.min(probeMs, probeGapMs * 2)
    nextProbeMs = nowMs + probeGapMs
  }
  const next = (nowMs: number): void => {
    const isLoaded = hasMissed || peak >= loadedShare * value
    if (probing) return endProbe(nowMs)
    value = Math.min(limitMax, Math.max(limitMin, isLoaded ? underLoad(nowMs) : atRest()))
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
    answered(profile, latencyMs) {
      const logMs = Math.log(latencyMs + latencySlackMs)
      if (profile.count === 0) touched.push(profile)
      profile.add(logMs)
      answers += 1
      if (profile.base === undefined) return
      compared += 1
      logRatios += logMs - profile.base
    },
    failed() {
      failures += 1
    },
    decide(nowMs) {
      windowStartMs ??= nowMs
      const tookMs = nowMs - windowStartMs
      if (tookMs < windowMs) return false
      const patienceMs = windowMs * (hasMissed && !probing ? loadedWindowsMax : windowsMax)
      if (answers + failures < samplesMin && tookMs < patienceMs) return false
      const before = measuringOf()
      next(nowMs)
      begin(nowMs)
      const isOther = Math.floor(measuringOf()) !== Math.floor(before)
      if (isOther) generation += 1
      return isOther
    },
  }
}
