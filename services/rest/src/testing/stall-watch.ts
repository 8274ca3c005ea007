import { existsSync, readFileSync } from 'node:fs'

/** How often the watch looks, in milliseconds. */
const lookMs = 10

export type StallWatch = {
  /** The longest time since it was last asked for which the event loop was held, in milliseconds. */
  readonly take: () => number
  readonly stop: () => void
}

/**
 * Watches the event loop of the calling thread. Where the system tells (Linux), time for which the thread was ready and
 * the machine ran somebody else is left out: a busy machine holds nobody's event loop.
 */
export function watchStalls(): StallWatch {
  let longest = 0
  let last = look()
  const measure = (): void => {
    const now = look()
    longest = Math.max(longest, now.atMs - last.atMs - (now.waitedMs - last.waitedMs) - lookMs)
    last = now
  }
  const timer = setInterval(measure, lookMs)
  // To be watched must not keep a process alive.
  timer.unref()
  return {
    take() {
      measure()
      const taken = longest
      longest = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}

const look = (): { atMs: number; waitedMs: number } => ({ atMs: performance.now(), waitedMs: waitedMs() })

/** Of the calling thread, see proc_pid_schedstat(5). */
const schedulerFile = '/proc/thread-self/schedstat'
const schedulerTells = existsSync(schedulerFile)

/** How long this thread has waited for a processor since it began. */
function waitedMs(): number {
  return schedulerTells ? Number(readFileSync(schedulerFile, 'latin1').split(' ')[1]) / 1e6 : 0
}
