import type { Profile, Pull } from './profile.ts'

/** What has happened since the limit was last decided about. */
export class Window {
  startMs: number | undefined
  answers = 0
  failures = 0
  /** Requests that have gone, however. */
  gone = 0
  /** Most that ran at once. */
  peak = 0
  /** Whether somebody found no place, and whether one found none for its kind. */
  hasMissed = false
  hasMissedKind = false
  readonly #touched: Profile[] = []
  #compared = 0
  #logRatios = 0

  begin(nowMs: number): void {
    for (const profile of this.#touched.splice(0)) profile.clear()
    this.answers = this.failures = this.gone = this.peak = 0
    this.#compared = this.#logRatios = 0
    this.hasMissed = this.hasMissedKind = false
    this.startMs = nowMs
  }

  /** One of this kind was answered after a time of which this is the logarithm. */
  answered(profile: Profile, logMs: number): void {
    if (profile.count === 0) this.#touched.push(profile)
    profile.add(logMs)
    this.answers += 1
    if (profile.base !== undefined) this.compare(logMs - profile.base)
  }

  /** A voice, of such a weight, that says how much longer than unhindered it takes, as a logarithm. */
  compare(logRatio: number, weight = 1): void {
    this.#compared += weight
    this.#logRatios += weight * logRatio
  }

  /** How many times the unhindered latency requests took; undefined while none can be compared. */
  get ratio(): number | undefined {
    return this.#compared > 0 ? Math.exp(this.#logRatios / this.#compared) : undefined
  }

  /** Moves what the kinds that were answered are known to take without load. */
  settle(pull: Pull): void {
    for (const profile of this.#touched) profile.settle(pull)
  }
}
