import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Frames of RFC 6455 by their opcodes. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

type FrameShape = {
  readonly isFinal?: boolean
  readonly isMasked?: boolean
  /** The three reserved bits. */
  readonly reserved?: number
  /** The length that the frame says it has. */
  readonly claims?: bigint
}

/** A frame as a client sends it, or should not. */
export function frameOf(opcode: number, payload: string | Buffer = '', shape: FrameShape = {}): Buffer {
  const { isFinal = true, isMasked = true, reserved = 0, claims } = shape
  const bytes = Buffer.from(payload as string)
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78])
  const masked = isMasked ? bytes.map((byte, at) => byte ^ mask[at & 3]!) : bytes
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const length = lengthOf(claims ?? BigInt(bytes.length))
  length[0]! |= isMasked ? 0x80 : 0
  return Buffer.concat([Buffer.from([first]), length, isMasked ? mask : Buffer.alloc(0), masked])
}

function lengthOf(length: bigint): Buffer {
  if (length < 126n) return Buffer.from([Number(length)])
  const isLong = length >= 0x1_0000n
  const bytes = Buffer.alloc(isLong ? 9 : 3)
  bytes[0] = isLong ? 127 : 126
  if (isLong) bytes.writeBigUInt64BE(length, 1)
  else bytes.writeUInt16BE(Number(length), 1)
  return bytes
}

export type Frame = { readonly opcode: number; readonly payload: Buffer }

/** A socket after the handshake, on which anything may be written. */
export type RawSocket = {
  readonly socket: Socket
  /** What the server has sent since the handshake. Whoever does not call it has read all the same. */
  frames(): Frame[]
  /** The code that the server closes with; undefined when it ends the socket without a word. */
  closeCode(): Promise<number | undefined>
}

type RawOptions = {
  /** `false` leaves what the server sends in the network. */
  readonly reads?: boolean
  /** Lines of the request. */
  readonly headers?: readonly string[]
}

/** Opens a socket with a key, or with '' none; rejects with the answer when the server does not let it. */
export async function openRaw(url: string, apikey: string, options: RawOptions = {}): Promise<RawSocket> {
  const { reads = true, headers = [] } = options
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  let received: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.write(
    `GET /realtime/v1/websocket?vsn=2.0.0&apikey=${apikey} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      headers.map((line) => `${line}\r\n`).join('') +
      '\r\n',
  )
  const [head] = (await once(socket, 'data')) as [Buffer]
  const end = head.indexOf('\r\n\r\n')
  if (!head.toString().startsWith('HTTP/1.1 101 ')) throw new Error(head.toString())
  received = head.subarray(end + 4)
  if (reads) socket.on('data', (chunk: Buffer) => void (received = Buffer.concat([received, chunk])))
  else socket.pause()
  const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve))
  const frames = (): Frame[] => readFrames(received)
  return {
    socket,
    frames,
    closeCode: async () => {
      await ended
      const close = frames().find(({ opcode }) => opcode === opcodes.close)
      return close?.payload.readUInt16BE(0)
    },
  }
}

/** Of a server: without masks. The last one may be cut off. */
function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]!
    const headLength = short === 127 ? 10 : short === 126 ? 4 : 2
    if (at + headLength > bytes.length) break
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
    const end = at + headLength + length
    if (end > bytes.length) break
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(at + headLength, end) })
    at = end
  }
  return frames
}
