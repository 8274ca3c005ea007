/** The newest `must` messages of this process, for those who lack one. */
export type KeptMessages = {
  add(number: number, frame: Buffer, nowMs: number): void
  expire(nowMs: number): void
  /** Nobody could ask until now. */
  renew(nowMs: number): void
  /**
   * Passes on those from number `from`, as many as `bytesMax` allows and at least one, leaving out what was passed on within
   * `pauseMs`. Returns how many.
   */
  repeat(from: number, nowMs: number, send: (frame: Buffer) => void): number
  /** The number of the oldest; undefined when there is none. */
  readonly first: number | undefined
}

export type KeptLimits = {
  readonly keepMs: number
  readonly bytesMax: number
  /** Of one answer. */
  readonly repeatBytesMax: number
  /** Several may ask for the same, and the answer is for all. */
  readonly repeatPauseMs: number
}

type Kept = { readonly frame: Buffer; atMs: number; repeatedAtMs: number }

export function createKeptMessages(limits: KeptLimits): KeptMessages {
  const kept = new Map<number, Kept>()
  let first = 0
  let bytes = 0

  const dropFirst = ({ frame }: Kept): void => {
    bytes -= frame.length
    kept.delete(first++)
  }
  const trim = (nowMs: number): void => {
    for (let oldest = kept.get(first); oldest !== undefined; oldest = kept.get(first)) {
      if ((bytes <= limits.bytesMax || kept.size === 1) && nowMs - oldest.atMs <= limits.keepMs) return
      dropFirst(oldest)
    }
  }
  return {
    add: (number, frame, nowMs) => {
      if (kept.size === 0) first = number
      kept.set(number, { frame, atMs: nowMs, repeatedAtMs: -Infinity })
      bytes += frame.length
      if (bytes > limits.bytesMax) trim(nowMs)
    },
    expire: trim,
    renew: (nowMs) => {
      for (const message of kept.values()) message.atMs = nowMs
    },
    repeat: (from, nowMs, send) => {
      let count = 0
      let sentBytes = 0
      for (let number = Math.max(from, first); sentBytes < limits.repeatBytesMax; number++) {
        const message = kept.get(number)
        if (message === undefined) break
        sentBytes += message.frame.length
        if (nowMs - message.repeatedAtMs < limits.repeatPauseMs) continue
        message.repeatedAtMs = nowMs
        count++
        send(message.frame)
      }
      return count
    },
    get first() {
      return kept.size === 0 ? undefined : first
    },
  }
}
