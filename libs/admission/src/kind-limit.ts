const [shrinkMost, growMost] = [0.5, 1.5]
/** From this share of the limit on, what runs is held back by it. */
const heldShare = 0.8
const samplesMin = 10
/** What is tolerated as a share of what they take, below which they are limited at all. */
const conspicuous = 0.75
/** When so much is left of what it was before it shrank, it must have helped. */
const trialShare = 0.75
/** Where it has not helped there is no limit for so long; longer each time. */
const [freeMsMin, freeMsMax] = [1_000, 30_000]

/**
 * How many of one kind may be inside, where they wait for something that others do not need: connections of their own, a lock,
 * another server. There is no such limit until they take longer than others do, each by its own measure; then there are
 * as many as take no longer than those.
 */
export class KindLimit {
  value = Number.POSITIVE_INFINITY
  inside = 0
  #peak = 0
  #hasMissed = false
  #logRatios = 0
  #answers = 0
  #changedAtMs = Number.NEGATIVE_INFINITY
  /** What the limit and the ratio were before it began to shrink. */
  #trial: { readonly value: number; readonly ratio: number } | undefined
  #freeUntilMs = Number.NEGATIVE_INFINITY
  #freeMs = freeMsMin

  began(): void {
    this.inside += 1
    if (this.inside > this.#peak) this.#peak = this.inside
  }

  left(): void {
    this.inside -= 1
  }

  /** One of them found no place for this reason. */
  missed(): void {
    this.#hasMissed = true
  }

  /** One that entered at `enteredAtMs` took `logRatio` longer than unhindered, as a logarithm; `tolerated` may all take. */
  answered(logRatio: number, { enteredAtMs, nowMs, tolerated, most, limitMin }: AnsweredOne): void {
    // Who entered under another limit tells nothing about this one.
    if (enteredAtMs < this.#changedAtMs) return
    this.#logRatios += logRatio
    this.#answers += 1
    if (this.#answers < Math.max(samplesMin, Math.floor(Math.min(this.value, this.#peak)))) return
    const before = this.value
    this.value = this.#next(Math.exp(this.#logRatios / this.#answers), tolerated, nowMs)
    if (this.value < limitMin) this.value = limitMin
    if (this.value > most) this.value = Number.POSITIVE_INFINITY
    if (Math.floor(this.value) !== Math.floor(before)) this.#changedAtMs = nowMs
    this.#peak = this.inside
    this.#hasMissed = false
    this.#logRatios = this.#answers = 0
  }

  #next(ratio: number, tolerated: number, nowMs: number): number {
    const { value } = this
    const trial = this.#trial
    if (trial !== undefined && value <= trialShare * trial.value) {
      this.#trial = undefined
      const isItsDoing = ratio < trial.ratio * Math.sqrt(value / trial.value)
      this.#freeMs = isItsDoing ? freeMsMin : Math.min(freeMsMax, 2 * this.#freeMs)
      if (!isItsDoing) {
        this.#freeUntilMs = nowMs + this.#freeMs
        return Number.POSITIVE_INFINITY
      }
    }
    const factor = tolerated / ratio
    if (value === Number.POSITIVE_INFINITY && (factor > conspicuous || nowMs < this.#freeUntilMs)) return value
    if (factor < 1) {
      const held = Math.min(value, this.#peak)
      this.#trial ??= { value: held, ratio }
      return held * Math.max(shrinkMost, factor)
    }
    this.#trial = undefined
    const isNeeded = this.#hasMissed || this.#peak >= heldShare * value
    return value * (isNeeded ? Math.min(growMost, factor) : growMost)
  }
}

export type AnsweredOne = {
  readonly enteredAtMs: number
  readonly nowMs: number
  /** How many times its unhindered latency each of all kinds takes now, or may take. */
  readonly tolerated: number
  /** Beyond this, all are limited together. */
  readonly most: number
  readonly limitMin: number
}
