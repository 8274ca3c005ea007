import type { Bus, Watcher } from '@pando/bus/bus'

type Listener = (message: Buffer, from: string) => void
type Sent = { readonly channel: string; readonly message: Buffer }
type Process = { readonly bus: Bus; readonly listeners: Map<string, Listener>; readonly watchers: Set<Watcher> }

/** Processes whose messages arrive, or do not, when a test says so: in order from each to each. */
export type SimulatedBuses = {
  /** A process that knows those before it; they learn of it when `introduce` is called. */
  start(nodeId: string): Bus
  introduce(nodeId: string): void
  /** One takes another for gone, which lives, and sends it nothing until that is introduced anew. */
  overlook(nodeId: string, other: string): void
  /** It is gone without a word; what it has said is on its way. */
  kill(nodeId: string): void
  /** Lets the next message from one to another arrive, or get lost; false when there is none. */
  pass(from: string, to: string, isLost?: boolean): boolean
  /** Tells a process that it may have missed something. */
  tellGap(nodeId: string): void
  /** What was published, and is not lost or heard. */
  countOnTheWay(): number
}

export function createSimulatedBuses(): SimulatedBuses {
  const processes = new Map<string, Process>()
  const knownTo = new Map<string, Set<string>>()
  const ways = new Map<string, Sent[]>()
  const wayOf = (from: string, to: string): Sent[] => {
    const name = `${from}>${to}`
    if (!ways.has(name)) ways.set(name, [])
    return ways.get(name)!
  }

  function start(nodeId: string): Bus {
    const known = new Set(processes.keys())
    const listeners = new Map<string, Listener>()
    const watchers = new Set<Watcher>()
    const bus: Bus = {
      nodeId,
      publish(channel, message) {
        for (const to of known) wayOf(nodeId, to).push({ channel, message: Buffer.from(message) })
      },
      subscribe(channel, listener) {
        listeners.set(channel, listener)
        return { ready: Promise.resolve(), end: () => listeners.delete(channel) }
      },
      nodes: () => [...known],
      watch(watcher) {
        watchers.add(watcher)
        return () => watchers.delete(watcher)
      },
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    }
    processes.set(nodeId, { bus, listeners, watchers })
    knownTo.set(nodeId, known)
    return bus
  }

  function tell(nodeId: string, about: string, is: 'here' | 'gone'): void {
    const known = knownTo.get(nodeId)!
    if (is === 'here') known.add(about)
    else known.delete(about)
    for (const watcher of processes.get(nodeId)!.watchers) watcher.onNode?.(about, is)
  }

  return {
    start,
    introduce(nodeId) {
      for (const other of processes.keys())
        if (other !== nodeId && !knownTo.get(other)!.has(nodeId)) tell(other, nodeId, 'here')
    },
    overlook(nodeId, other) {
      if (knownTo.get(nodeId)!.has(other)) tell(nodeId, other, 'gone')
    },
    kill(nodeId) {
      processes.delete(nodeId)
      for (const other of processes.keys()) if (knownTo.get(other)!.has(nodeId)) tell(other, nodeId, 'gone')
    },
    pass(from, to, isLost = false) {
      const sent = wayOf(from, to).shift()
      if (sent === undefined) return false
      if (!isLost) processes.get(to)?.listeners.get(sent.channel)?.(sent.message, from)
      return true
    },
    tellGap(nodeId) {
      for (const { onGap } of processes.get(nodeId)!.watchers) onGap?.()
    },
    countOnTheWay: () => [...ways.values()].reduce((sum, way) => sum + way.length, 0),
  }
}
