/** How much is asked for, 0 for nothing; of several requests that wait together the greatest is run. */
export type Want = number

export type ReloadQueueDeps = {
  readonly run: (want: Want) => Promise<void>
  /** Told of each failed attempt; another one follows after `retryInMs`. */
  readonly onFailed?: (failure: {
    readonly error: unknown
    readonly attempt: number
    readonly retryInMs: number
  }) => void
  /** A number in [0, 1). */
  readonly random: () => number
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>
}

export type ReloadQueue = {
  /** Runs soon. */
  ask(want: Want): void
  /** Runs without waiting for quiet; resolves when a run that began after this call has ended well. */
  askNow(want: Want): Promise<void>
  /** Cuts a waiting time short, for example because the reason of the failure may be gone. */
  hurry(): void
  /** Rejects what waits and begins nothing any more. What runs is not waited for; how it ends does not matter. */
  stop(): void
}

/**
 * The first request is answered at once; those after it are gathered until none has come for `quietMs`, at most
 * `quietRoundsMax` times as long, so that a migration of 500 statements causes two runs and not 500.
 */
const quietMs = 50
const quietRoundsMax = 50

/** Waiting times between attempts double from the first to the longest, and are shortened by up to a half at random. */
const retryFirstMs = 250
const retryLongestMs = 32_000

/** Runs one thing at a time, again and again until it succeeds, and bursts of requests only twice. */
export function createReloadQueue({ run, onFailed, random, sleep }: ReloadQueueDeps): ReloadQueue {
  const stopping = new AbortController()
  let wanted: Want = 0
  /** Counts the requests, to see whether a burst goes on. */
  let asked = 0
  let waiting: PromiseWithResolvers<void>[] = []
  /** Those whom the attempt that runs will answer. */
  let running: PromiseWithResolvers<void>[] = []
  let working: Promise<void> | undefined
  let wake: (() => void) | undefined

  function ask(want: Want): void {
    if (want === 0 || stopping.signal.aborted) return
    asked++
    wanted = Math.max(wanted, want)
    working ??= work().finally(() => (working = undefined))
  }

  async function work(): Promise<void> {
    while (wanted > 0 && !stopping.signal.aborted) {
      await runUntilDone()
      await untilQuiet()
    }
  }

  async function runUntilDone(): Promise<void> {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const want = wanted
      running = waiting
      wanted = 0
      waiting = []
      try {
        await run(want)
        for (const { resolve } of running) resolve()
        return
      } catch (error) {
        if (stopping.signal.aborted) return
        wanted = Math.max(wanted, want)
        waiting = [...running, ...waiting]
        const retryInMs = Math.min(retryLongestMs, retryFirstMs * 2 ** (attempt - 1)) * (1 - random() / 2)
        onFailed?.({ error, attempt, retryInMs })
        await nap(retryInMs)
      }
    }
  }

  async function untilQuiet(): Promise<void> {
    for (let round = 0; round < quietRoundsMax && waiting.length === 0; round++) {
      const before = asked
      const end = await nap(quietMs)
      if (end === 'hurried' || asked === before) return
    }
  }

  async function nap(ms: number): Promise<'rested' | 'hurried'> {
    const alarm = new AbortController()
    wake = () => alarm.abort()
    const end = await sleep(ms, AbortSignal.any([alarm.signal, stopping.signal])).then(
      () => 'rested' as const,
      () => 'hurried' as const,
    )
    wake = undefined
    return end
  }

  return {
    ask,
    askNow(want) {
      if (stopping.signal.aborted) return Promise.reject(stopped())
      const waiter = Promise.withResolvers<void>()
      waiting.push(waiter)
      ask(want)
      wake?.()
      return waiter.promise
    },
    hurry: () => wake?.(),
    stop() {
      stopping.abort()
      for (const { reject } of [...running, ...waiting.splice(0)]) reject(stopped())
    },
  }
}

const stopped = () => new Error('The catalogue is not loaded any more: its keeper was stopped.')
