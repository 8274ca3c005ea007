import { readFileSync } from 'node:fs'

/** How often the watch looks, in milliseconds. */
export const lookMs = 10

export type StallWatch = {
  /** The longest time since it was last asked for which the event loop was held, in milliseconds. */
  readonly take: () => number
  readonly stop: () => void
}

/**
 * Watches the event loop of the calling thread. Where the system tells (Linux), time for which the thread was ready and the
 * machine ran somebody else is left out: a busy machine holds nobody's event loop.
 */
export function watchStalls(): StallWatch {
  let longest = 0
  let last = look()
  const timer = setInterval(() => {
    const now = look()
    longest = Math.max(longest, now.atMs - last.atMs - (now.waitedMs - last.waitedMs) - lookMs)
    last = now
  }, lookMs)
  // To be watched must not keep a process alive.
  timer.unref()
  return {
    take() {
      const taken = longest
      longest = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}

const look = (): { atMs: number; waitedMs: number } => ({ atMs: performance.now(), waitedMs: waitedMs() })

/** How long this thread has waited for a processor since it began (proc_pid_schedstat(5)). */
function waitedMs(): number {
  if (process.platform !== 'linux') return 0
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6
}
