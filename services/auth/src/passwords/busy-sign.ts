import { performance } from 'node:perf_hooks'

/** Share of time that the event loop works above which this process is busy with requests. */
const busyShare = 0.5
/** How long one look at the event loop holds. */
const lookMs = 100

/** Says whether the event loop of this process worked most of the time when it was last looked at. */
export function createBusySign(): () => boolean {
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
