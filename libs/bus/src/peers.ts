import type { Clock } from '@pando/core/clock'
import type { BusValues } from './config.ts'
import type { Envelope } from './envelope.ts'
import type { Beat } from './note.ts'
import type { CarrierName, Observe } from './observation.ts'
import { createSequence, type Sequence } from './sequence.ts'
import type { Watchers } from './watchers.ts'

export type Message = Envelope & { readonly body: Buffer }

/** Another process that lives. */
export type Peer = {
  readonly nodeId: string
  readonly messages: Sequence<Message>
  /** The newest of its notes; each comes by every carrier. */
  noteNumber: number
  /** The newest of its `may` messages; they come by one carrier, in order. */
  mayNumber: number
  losses: number
  /** It says that it hears Redis. */
  hasRedis: boolean
  heardAtMs: number
  /** When it was last heard through Redis: it may use another one. */
  redisAtMs: number
  asking: NodeJS.Timeout | undefined
  askPauseMs: number
  askedFrom: number
  /** When it has said good-bye and something of it is still to come: until when that is waited for. */
  leavesAtMs: number
}

export type PeersDeps = {
  readonly clock: Clock
  readonly observe: Observe
  readonly watchers: Watchers
  readonly options: Pick<BusValues, 'silence' | 'askPause' | 'askPauseMax'>
  readonly heldBytesMax: number
  deliver(message: Message): void
  /** Asks a peer for its messages from a number on. */
  ask(nodeId: string, from: number): void
  forget(nodeId: string): void
}

/** What the last messages of a process that says good-bye may take after its word. Not an option: it is in no hurry for them. */
const leaveMs = 500

/** The other processes that live. */
export function createPeers(deps: PeersDeps) {
  const { clock, observe, watchers } = deps
  const { silence: silenceMs, askPause: askPauseMs, askPauseMax: askPauseMsMax } = deps.options
  const peers = new Map<string, Peer>()
  /** Those that went, for as long as something of theirs may still be on the way. */
  const departed = new Map<string, number>()
  /** Those that know us. */
  const met = new Set<string>()
  const waiting = new Set<() => void>()

  const add = (nodeId: string, noteNumber: number, beat: Beat): Peer => {
    const nowMs = clock.monotonic()
    const peer: Peer = {
      nodeId,
      messages: createSequence(beat.last, deps.heldBytesMax, deps.deliver),
      noteNumber,
      mayNumber: 0,
      losses: beat.losses,
      hasRedis: beat.redis,
      heardAtMs: nowMs,
      redisAtMs: -Infinity,
      asking: undefined,
      askPauseMs,
      askedFrom: 0,
      leavesAtMs: Infinity,
    }
    peers.set(nodeId, peer)
    observe({ kind: 'node.here', nodeId, nodes: peers.size })
    watchers.node(nodeId, 'here')
    return peer
  }
  const remove = (peer: Peer, saidGoodbye: boolean): void => {
    const { nodeId } = peer
    clearTimeout(peer.asking)
    peers.delete(nodeId)
    met.delete(nodeId)
    deps.forget(nodeId)
    if (saidGoodbye) departed.set(nodeId, clock.monotonic() + silenceMs)
    observe({ kind: 'node.gone', nodeId, nodes: peers.size, saidGoodbye })
    watchers.node(nodeId, 'gone')
    if (peer.messages.missing !== undefined) watchers.gap('gone')
  }
  const askAgain = (peer: Peer): void => {
    peer.asking = undefined
    const from = peer.messages.missing
    if (from === undefined) return
    if (clock.monotonic() > peer.leavesAtMs) return remove(peer, true)
    peer.askPauseMs = from === peer.askedFrom ? Math.min(peer.askPauseMs * 2, askPauseMsMax) : askPauseMs
    peer.askedFrom = from
    deps.ask(peer.nodeId, from)
    peer.asking = setTimeout(() => askAgain(peer), peer.askPauseMs)
  }
  return {
    add,
    get: (nodeId: string): Peer | undefined => peers.get(nodeId),
    isDeparted: (nodeId: string): boolean => departed.has(nodeId),
    nodeIds: (): string[] => [...peers.keys()],
    get size() {
      return peers.size
    },
    heard: (peer: Peer, by: CarrierName): void => {
      peer.heardAtMs = clock.monotonic()
      if (by === 'redis') peer.redisAtMs = peer.heardAtMs
    },
    /** To be called whenever something may be missing, or no longer. */
    look: (peer: Peer): void => {
      if (peer.messages.missing === undefined) {
        if (peer.leavesAtMs !== Infinity) remove(peer, true)
      } else peer.asking ??= setTimeout(() => askAgain(peer), askPauseMs)
    },
    leave: (peer: Peer): void => {
      peer.leavesAtMs = clock.monotonic() + leaveMs
    },
    allHearRedis: (): boolean => {
      const sinceMs = clock.monotonic() - silenceMs
      for (const { hasRedis, redisAtMs } of peers.values()) if (!hasRedis || redisAtMs < sinceMs) return false
      return true
    },
    /** Lets those go that were silent; `sinceMs` is from when on they could be heard. */
    sweep: (sinceMs: number): void => {
      const nowMs = clock.monotonic()
      for (const peer of peers.values()) {
        if (nowMs - Math.max(peer.heardAtMs, sinceMs) > silenceMs) remove(peer, peer.leavesAtMs !== Infinity)
      }
      for (const [nodeId, untilMs] of departed) if (untilMs < nowMs) departed.delete(nodeId)
    },
    met: (nodeId: string): void => {
      met.add(nodeId)
      waiting.forEach((look) => look())
    },
    /** Fulfils when as many know us, or after `waitMs`. */
    untilMet: (count: number, waitMs: number): Promise<void> =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer)
          waiting.delete(look)
          resolve()
        }
        const timer = setTimeout(end, waitMs)
        const look = (): void => {
          if (met.size >= count) end()
        }
        waiting.add(look)
        look()
      }),
    stop: (): void => {
      for (const peer of peers.values()) clearTimeout(peer.asking)
      peers.clear()
    },
  }
}

export type Peers = ReturnType<typeof createPeers>
