import type { Inside } from './concurrency-limit.ts'

export type MeasurementOptions = {
  readonly windowMs: number
  /** Longest time under load until latency is measured anew. */
  readonly probeMs: number
}

/** Under lasting load, when latency is measured with fewer at once, and until when. */
export type Measurement = {
  readonly isOn: boolean
  /** How many ran before it, and how many may run meanwhile. */
  readonly from: number
  readonly places: number
  /** There is load, under which so many run: it begins when its time has come. */
  underLoad(nowMs: number, running: number): void
  /** There is none any more. */
  atRest(): void
  /** Whether all who entered in its first window have been heard; `generation` is that of the limit since it began. */
  isComplete(nowMs: number, inside: Iterable<Inside>, generation: number): boolean
  end(nowMs: number): void
}

/** Of those who run, so many go on to while latency is measured. */
export const measuredShare = 0.5
const firstGapMs = 1_000

export function createMeasurement({ windowMs, probeMs }: MeasurementOptions): Measurement {
  let isOn = false
  let from = 0
  let [nextAtMs, gapMs] = [Number.POSITIVE_INFINITY, firstGapMs]
  /** Since when only those are inside who entered for it. */
  let sinceMs: number | undefined

  return {
    get isOn() {
      return isOn
    },
    get from() {
      return from
    },
    get places() {
      return Math.max(1, from * measuredShare)
    },
    underLoad(nowMs, running) {
      if (nextAtMs === Number.POSITIVE_INFINITY) nextAtMs = nowMs + gapMs
      from = running
      isOn = nowMs >= nextAtMs
    },
    atRest() {
      nextAtMs = Number.POSITIVE_INFINITY
      gapMs = firstGapMs
    },
    isComplete(nowMs, inside, generation) {
      for (const { generation: of, ageMs } of inside) {
        if (of >= 0 && of < generation && sinceMs === undefined) return false
        if (sinceMs !== undefined && ageMs >= nowMs - sinceMs - windowMs) return false
      }
      sinceMs ??= nowMs
      return nowMs - sinceMs >= windowMs
    },
    end(nowMs) {
      isOn = false
      sinceMs = undefined
      gapMs = Math.min(probeMs, gapMs * 2)
      nextAtMs = nowMs + gapMs
    },
  }
}
