/**
 * How long requests of one kind take when nothing is in their way, as the logarithm of milliseconds. Kinds are kept
 * apart, so that a change of the mixture (more slow searches, fewer fast look-ups) is not taken for congestion.
 */
export class Profile {
  /** Logarithm of the latency without congestion; undefined until there is a first window. */
  base: number | undefined
  sum = 0
  count = 0

  add(logMs: number): void {
    this.sum += logMs
    this.count += 1
  }

  /** Ends a window: moves the base towards its mean, up by `up` of the difference, or down by `down`. */
  settle({ up, down }: Pull): void {
    const mean = this.sum / this.count
    const base = (this.base ??= mean)
    this.base = base + (mean > base ? up : down) * Math.min(1, this.count / samplesTrusted) * (mean - base)
    this.clear()
  }

  clear(): void {
    this.sum = 0
    this.count = 0
  }
}

/** Of so many samples a window's mean is believed; of fewer, only a part of it. */
const samplesTrusted = 10

export type Pull = { readonly up: number; readonly down: number }
