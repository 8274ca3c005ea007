/** Cores that belong to requests while this process is busy with them: its event loop's, and that of its Postgres. */
const reservedCores = 2
/** How much of one core tasks get then, where that leaves none: few sign in slowly instead of everybody waiting. */
const shareMin = 0.15
/** How much the last task says about the next one. */
const novelty = 0.2

export type GateDeps = {
  /** Tasks that run at once while this process has nothing else to do. */
  readonly widthMax: number
  /** Whether this process is busy with requests. */
  readonly isBusy: () => boolean
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number
  readonly rest: (ms: number) => Promise<void>
}

export type Gate = {
  /** Runs the task when its turn comes. */
  run<T>(task: () => Promise<T>): Promise<T>
  /** How long a task that came now would probably wait, milliseconds. */
  waitMs(): number
}

/**
 * Lets `widthMax` tasks run at once and keeps the rest in order. While the process is busy they have only the cores that
 * requests leave over, and a rest after each task where that is less than one: a low priority alone does not help whoever
 * runs in another scheduling group, as Postgres does, and whoever shares memory bandwidth.
 */
export function createGate({ widthMax, isBusy, now, rest }: GateDeps): Gate {
  const widthWhileBusy = Math.max(1, widthMax - reservedCores)
  const shareWhileBusy = widthMax > reservedCores ? 1 : shareMin
  const waiting: (() => void)[] = []
  let running = 0
  let takesMs = 0

  const width = (): number => (isBusy() ? widthWhileBusy : widthMax)
  const letIn = (): void => {
    while (waiting.length > 0 && running < width()) {
      running += 1
      waiting.shift()!()
    }
  }
  const leave = async (startMs: number): Promise<void> => {
    const tookMs = now() - startMs
    if (isBusy() && shareWhileBusy < 1) await rest(tookMs * (1 / shareWhileBusy - 1))
    takesMs += novelty * (now() - startMs - takesMs)
    running -= 1
    letIn()
  }

  return {
    run: async (task) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        letIn()
      })
      const startMs = now()
      return task().finally(() => void leave(startMs))
    },
    waitMs: () => (waiting.length / width()) * takesMs,
  }
}
