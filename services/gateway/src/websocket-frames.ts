import { randomBytes } from 'node:crypto'

/** Where frames end in what one side of a WebSocket sends (RFC 6455 §5.2). */
export type FrameCursor = {
  /** Takes what comes next, or of that what belongs to the frame that is under way; returns how much it took. */
  take(chunk: Buffer, how?: { readonly untilFrameEnds: boolean }): number
  /** Whether another frame may begin here. */
  readonly isBetween: boolean
  /** Whether the side has said that it closes: nothing may come after that. */
  readonly hasClosed: boolean
}

const closeOpcode = 8
const maskBytes = 4

export function createFrameCursor(): FrameCursor {
  const head = Buffer.alloc(10)
  let headBytes = 0
  /** Of a frame whose head is complete: the mask and the payload. */
  let left = 0
  let hasClosed = false

  const readHead = (byte: number): void => {
    head[headBytes++] = byte
    const shortLength = head[1]! & 0x7f
    if (headBytes < 2 || headBytes < headBytesOf(shortLength)) return
    const length =
      shortLength < 126 ? shortLength : shortLength === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2))
    left = length + (head[1]! >= 0x80 ? maskBytes : 0)
    hasClosed ||= (head[0]! & 0x0f) === closeOpcode
    headBytes = 0
  }
  const isBetween = (): boolean => left === 0 && headBytes === 0

  return {
    take(chunk, { untilFrameEnds } = { untilFrameEnds: false }) {
      let at = 0
      while (at < chunk.length) {
        if (left > 0) {
          const skipped = Math.min(left, chunk.length - at)
          at += skipped
          left -= skipped
        } else readHead(chunk[at++]!)
        if (untilFrameEnds && isBetween()) break
      }
      return at
    },
    get isBetween() {
      return isBetween()
    },
    get hasClosed() {
      return hasClosed
    },
  }
}

const headBytesOf = (shortLength: number): number => (shortLength < 126 ? 2 : shortLength === 126 ? 4 : 10)

/** Why a WebSocket ends (RFC 6455 §7.4.1 and its registry): come back, or: I shall not. */
export const closeCodes = { serviceRestart: 1012, goingAway: 1001 } as const

/** Says why, as a server does; or as a client, who masks what it sends. */
export function toCloseFrame(code: number, by: 'server' | 'client'): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  const head = [0x80 | closeOpcode, payload.length]
  if (by === 'server') return Buffer.from([...head, ...payload])
  const mask = randomBytes(maskBytes)
  return Buffer.from([head[0]!, head[1]! | 0x80, ...mask, ...payload.map((byte, index) => byte ^ mask[index]!)])
}
