import type { Upgrade } from '@pando/http/upgrades'
import type { Socket } from 'node:net'
import { closeCodes, createFrameCursor, toCloseFrame, type FrameCursor } from './websocket-frames.ts'

/** The two ends of a WebSocket that passes through here. */
export type Pair = {
  readonly client: Socket
  /** Tells both sides to go, each after the frame that it is getting, and lets go of them. */
  part(): void
}

type Ends = { readonly client: Upgrade; readonly upstream: Upgrade; readonly idleTimeoutMs: number }

/** How long both sides have to take what is on its way, and to say good-bye. */
const closeGraceMs = 1000

/**
 * Joins them: each side gets what the other sends, from the first byte to the last, as it is; what ends one ends the other.
 * A side that reads slowly slows the other one down.
 */
export function joinPair({ client, upstream, idleTimeoutMs }: Ends): Pair {
  const toClient = createWay(upstream, client.socket)
  const toUpstream = createWay(client, upstream.socket)
  let isParted = false
  for (const { from, to } of [toClient, toUpstream]) {
    // It may have closed between its answer and now.
    if (from.destroyed) to.destroySoon()
    from.setTimeout(idleTimeoutMs, () => from.destroy())
    from.setNoDelay(true)
    from.once('close', () => isParted || to.destroySoon())
  }
  return {
    client: client.socket,
    part() {
      if (isParted) return
      isParted = true
      toClient.end(toCloseFrame(closeCodes.serviceRestart, 'server'))
      toUpstream.end(toCloseFrame(closeCodes.goingAway, 'client'))
      setTimeout(() => [client, upstream].forEach(({ socket }) => socket.destroy()), closeGraceMs).unref()
    },
  }
}

/** What one side sends, on its way to the other. */
type Way = {
  readonly from: Socket
  readonly to: Socket
  /** Sends a last frame, behind the one that is under way. */
  end(frame: Buffer): void
}

function createWay({ socket: from, head }: Upgrade, to: Socket): Way {
  const cursor = createFrameCursor()
  const follow = (chunk: Buffer): void => void cursor.take(chunk)
  follow(head)
  to.write(head)
  from.on('data', follow).pipe(to)
  return {
    from,
    to,
    end(frame) {
      from.unpipe(to).off('data', follow)
      endBetweenFrames({ from, to, cursor }, frame)
      // Read to its end, so that it is noticed.
      from.resume()
    },
  }
}

type Ending = { readonly from: Socket; readonly to: Socket; readonly cursor: FrameCursor }

function endBetweenFrames({ from, to, cursor }: Ending, frame: Buffer): void {
  const end = (): void => void (cursor.hasClosed ? to.end() : to.end(frame))
  if (cursor.isBetween) return end()
  from.on('data', function finishFrame(chunk: Buffer): void {
    to.write(chunk.subarray(0, cursor.take(chunk, { untilFrameEnds: true })))
    if (!cursor.isBetween) return
    from.off('data', finishFrame)
    end()
  })
}
