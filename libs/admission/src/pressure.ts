import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

export type PressureLimits = {
  /** From which lateness of the event loop on less is let in, milliseconds. */
  readonly loopLagMaxMs: number
  /** From which share of the memory in use on less is let in. */
  readonly memoryShareMax: number
}

export type Load = {
  /** How late the event loop has been of late, milliseconds. */
  readonly loopLagMs: number
  /** How much of heap or container is in use, whichever is fuller. */
  readonly memoryShare: number
}

const shareMin = 0.1

/** The share of its limits that a process under this load should let in, from 0.1 to 1. */
export function toShare({ loopLagMs, memoryShare }: Load, { loopLagMaxMs, memoryShareMax }: PressureLimits): number {
  const byLoop = loopLagMs <= loopLagMaxMs ? 1 : loopLagMaxMs / loopLagMs
  const byMemory = memoryShare <= memoryShareMax ? 1 : (1 - memoryShare) / (1 - memoryShareMax)
  return Math.max(shareMin, Math.min(byLoop, byMemory))
}

/** How often the event loop's lateness is looked at by Node itself. */
const resolutionMs = 10

/** Measures this process: each call tells of the time since the one before. */
export function createLoadMeter(): { read(): Load; stop(): void } {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  // To find out takes files of the system, and it does not change.
  const containerBytes = process.constrainedMemory()
  return {
    read() {
      // What Node counts includes the pause between its looks, and is no number before the first.
      const loopLagMs = delays.count === 0 ? 0 : Math.max(0, delays.mean / 1e6 - resolutionMs)
      delays.reset()
      return { loopLagMs, memoryShare: readMemoryShare(containerBytes) }
    },
    stop: () => void delays.disable(),
  }
}

function readMemoryShare(container: number): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  const ofHeap = used / limit
  // Without a container, what the system calls its limit is of no use.
  if (container === 0 || container > unlimitedBytes) return ofHeap
  return Math.max(ofHeap, process.memoryUsage.rss() / container)
}

const unlimitedBytes = 2 ** 50
