import { performance } from 'node:perf_hooks'

/** Share of time that the event loop works above which this process is busy with requests. */
const busyShare = 0.5
/** How long one look at the event loop holds. */
const lookMs = 100

/**
 * Lets `widthMax` tasks run at once, half as many while this process is busy, and keeps the rest in order. A priority alone
 * is not enough: what hashes empties the caches that requests need, and the system lets it finish its slice.
 */
export function createGate(widthMax: number): <T>(task: () => Promise<T>) => Promise<T> {
  const isBusy = createBusySign()
  const waiting: (() => void)[] = []
  let running = 0
  const width = (): number => (isBusy() ? Math.max(1, Math.floor(widthMax / 2)) : widthMax)
  const letIn = (): void => {
    while (waiting.length > 0 && running < width()) {
      running += 1
      waiting.shift()!()
    }
  }
  return async (task) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      letIn()
    })
    try {
      return await task()
    } finally {
      running -= 1
      letIn()
    }
  }
}

function createBusySign(): () => boolean {
  let before = performance.eventLoopUtilization()
  let lookedAtMs = performance.now()
  let busy = false
  return () => {
    const nowMs = performance.now()
    if (nowMs - lookedAtMs >= lookMs) {
      const now = performance.eventLoopUtilization()
      busy = performance.eventLoopUtilization(now, before).utilization > busyShare
      before = now
      lookedAtMs = nowMs
    }
    return busy
  }
}
