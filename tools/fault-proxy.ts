import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What is wrong with the network, in both directions unless it says otherwise. */
export type Faults = {
  /** Every byte comes this much later, give or take `jitterMs`; the order stays. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  /** What passes in a second, in each direction. */
  readonly bytesPerSecond?: number
  /** Pieces of at most so many bytes, each in a write of its own: what a reader of frames must put together again. */
  readonly sliceBytes?: number
  /** From one piece to the next; without it the system may put pieces together again. */
  readonly sliceGapMs?: number
  /** What comes is taken and never passed on, and nobody is told, as when a phone has left the house. */
  readonly swallows?: 'both' | 'toServer' | 'toClient'
  /** New connections are taken and dropped at once. */
  readonly refuses?: boolean
}

/** A TCP proxy that behaves like a bad network. */
export type FaultProxy = {
  /** The address of the target through the proxy, which listens on 127.0.0.1. */
  readonly url: string
  /** Replaces all faults, for open connections too. Bytes that are swallowed or on their way stay so. */
  set(faults: Faults): void
  /** Where new connections go from now on. */
  leadTo(url: string): void
  /** Nothing passes any more on the connections that are open now; new ones work. */
  freeze(): void
  /** Ends all open connections, as a process that dies does. */
  cut(): void
  /** Ends all open connections with a reset. */
  reset(): void
  connectionCount(): number
  stop(): Promise<void>
}

/** What a direction holds at most before it stops reading. */
const heldBytesMax = 4 * 1024 * 1024

/** A proxy to `url`, whose host is this machine; `random` gives numbers in [0, 1) for the jitter. */
export async function startFaultProxy(url: string, random = Math.random): Promise<FaultProxy> {
  let current: Faults = {}
  let target = readAddress(url)
  const pairs = new Set<{ readonly ends: readonly Socket[]; isFrozen: boolean }>()
  const entrance = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (current.refuses === true) return void client.resetAndDestroy()
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    const pair = { ends: [client, server], isFrozen: false }
    pairs.add(pair)
    const lead = (from: Socket, to: Socket, direction: 'toServer' | 'toClient'): void => {
      passOn(from, to, {
        faults: () => current,
        isSwallowing: () => pair.isFrozen || ['both', direction].includes(current.swallows ?? ''),
        random,
      })
      from.on('error', () => to.resetAndDestroy())
      from.on('close', () => void (client.closed && server.closed && pairs.delete(pair)))
    }
    lead(client, server, 'toServer')
    lead(server, client, 'toClient')
  })
  entrance.listen(0, '127.0.0.1')
  await once(entrance, 'listening')
  const { port } = entrance.address() as AddressInfo
  const endAll = (end: (socket: Socket) => void): void => {
    for (const { ends } of pairs) ends.forEach(end)
  }
  const cut = (): void => endAll((socket) => socket.destroy())
  return {
    url: url.replace(new URL(url).host, `127.0.0.1:${port}`),
    set: (next) => void (current = next),
    leadTo: (next) => void (target = readAddress(next)),
    freeze: () => {
      for (const pair of pairs) pair.isFrozen = true
    },
    cut,
    reset: () => endAll((socket) => socket.resetAndDestroy()),
    connectionCount: () => pairs.size,
    stop: async () => {
      entrance.close()
      cut()
      await once(entrance, 'close')
    },
  }
}

function readAddress(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

type Direction = {
  readonly faults: () => Faults
  readonly isSwallowing: () => boolean
  readonly random: () => number
}

type Due = { readonly atMs: number; readonly bytes: number; pass(): void }

/** Passes bytes on when they are due, in order; stops reading while too much is on its way. */
function passOn(from: Socket, to: Socket, { faults, isSwallowing, random }: Direction): void {
  const due: Due[] = []
  let heldBytes = 0
  /** When the line is free again; milliseconds of the monotonic clock. */
  let freeMs = 0
  // One timer for the first in the line: two timers need not fire in the order in which they are due.
  const passDue = (): void => {
    const nowMs = performance.now()
    while (due.length > 0 && due[0]!.atMs <= nowMs) {
      const { bytes, pass } = due.shift()!
      heldBytes -= bytes
      pass()
    }
    if (heldBytes <= heldBytesMax) from.resume()
    if (due.length > 0) setTimeout(passDue, Math.ceil(due[0]!.atMs - nowMs))
  }
  const schedule = (bytes: number, pass: () => void): void => {
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond = Infinity, sliceGapMs = 0 } = faults()
    freeMs = Math.max(freeMs, performance.now()) + (bytes / bytesPerSecond) * 1000
    const arrivesMs = freeMs + Math.max(0, latencyMs + (random() * 2 - 1) * jitterMs)
    const last = due.at(-1)
    due.push({ atMs: Math.max(last === undefined ? 0 : last.atMs + sliceGapMs, arrivesMs), bytes, pass })
    heldBytes += bytes
    if (heldBytes > heldBytesMax) from.pause()
    if (last === undefined) setTimeout(passDue, Math.ceil(arrivesMs - performance.now()))
  }
  from.on('data', (chunk: Buffer) => {
    if (isSwallowing()) return
    const { sliceBytes = chunk.length } = faults()
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      const piece = chunk.subarray(at, at + sliceBytes)
      schedule(piece.length, () => void (to.writable && to.write(piece)))
    }
  })
  from.on('end', () => {
    if (!isSwallowing()) schedule(0, () => void to.end())
  })
}
