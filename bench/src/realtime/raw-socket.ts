import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** A WebSocket that does next to nothing, so that thousands fit into one process of load. */
export type RawSocket = {
  send(text: string): void
  close(): void
}

export type Opening = {
  readonly port: number
  /** With its query. */
  readonly path: string
  readonly localAddress: string
  readonly onMessage: (message: Buffer) => void
}

/** Opens one; rejects when it is refused. */
export function openRawSocket({ port, path, localAddress, onMessage }: Opening): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    const key = randomBytes(16).toString('base64')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
    const frames = createFrameReader(onMessage)
    let isOpen = false
    let head = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the socket was closed')))
    socket.on('data', (chunk: Buffer) => {
      if (isOpen) return frames(chunk)
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!head.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
        reject(new Error(head.toString('utf8', 0, end)))
        return void socket.destroy()
      }
      isOpen = true
      resolve({ send: (text) => void socket.write(toMaskedFrame(text)), close: () => socket.destroy() })
      const rest = head.subarray(end + 4)
      head = Buffer.alloc(0)
      if (rest.length > 0) frames(rest)
    })
  })
}

/** Whole messages out of chunks that end anywhere. Servers do not fragment what is measured here. */
function createFrameReader(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer | undefined
  return (chunk) => {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const size = sizeAt(data, at)
      if (size === undefined || at + size.head + size.body > data.length) break
      onMessage(data.subarray(at + size.head, at + size.head + size.body))
      at += size.head + size.body
    }
    rest = at === data.length ? undefined : data.subarray(at)
  }
}

function sizeAt(data: Buffer, at: number): { head: number; body: number } | undefined {
  if (data.length - at < 2) return undefined
  const length = data[at + 1]! & 0x7f
  if (length < 126) return { head: 2, body: length }
  if (length === 126) return data.length - at < 4 ? undefined : { head: 4, body: data.readUInt16BE(at + 2) }
  return data.length - at < 10 ? undefined : { head: 10, body: Number(data.readBigUInt64BE(at + 2)) }
}

/** A mask of zeros is a mask (RFC 6455 §5.3 asks for an unpredictable one of browsers' sake). */
function toMaskedFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? Buffer.from([0x81, 0x80 | length]) : Buffer.from([0x81, 0xfe, length >> 8, length & 0xff])
  return Buffer.concat([head, Buffer.alloc(4), Buffer.from(text)])
}
