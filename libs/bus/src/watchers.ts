import type { Watcher } from './bus.ts'
import type { BusObservation, Observe } from './observation.ts'

type GapReason = Extract<BusObservation, { kind: 'gap' }>['why']

/** A carrier that comes back is noticed by each process on its own; their words make one gap. */
const gapPauseMs = 50

export function createWatchers(observe: Observe) {
  const watchers = new Set<Watcher>()
  let gap: NodeJS.Timeout | undefined

  const tell = (call: (watcher: Watcher) => void): void => {
    for (const watcher of watchers) {
      try {
        call(watcher)
      } catch (cause) {
        observe({ kind: 'listener.failed', cause })
      }
    }
  }
  return {
    watch: (watcher: Watcher): (() => void) => {
      // The same object may watch twice.
      const own = { ...watcher }
      watchers.add(own)
      return () => void watchers.delete(own)
    },
    node: (nodeId: string, is: 'here' | 'gone'): void => tell((watcher) => watcher.onNode?.(nodeId, is)),
    gap: (why: GapReason): void => {
      observe({ kind: 'gap', why })
      gap ??= setTimeout(() => {
        gap = undefined
        tell((watcher) => watcher.onGap?.())
      }, gapPauseMs)
    },
    stop: (): void => clearTimeout(gap),
  }
}

export type Watchers = ReturnType<typeof createWatchers>
