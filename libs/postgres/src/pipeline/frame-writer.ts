import type { Duplex } from 'node:stream'
import type { Parameter } from '../exchange.ts'
import type { PreparedStatement } from './prepared-statements.ts'

const blockBytes = 32 * 1024
/** Longer values become pieces of their own instead of passing through the block. */
const inlineMax = 8 * 1024

const executeFrame = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0])
const syncFrame = Buffer.from([0x53, 0, 0, 0, 4])

/**
 * Encodes frontend messages (PostgreSQL protocol 3.0, "Message Formats") into one reused block and hands everything of
 * a tick to the socket at once. Long parameters given as chunks are handed over as they are: never joined, never
 * copied.
 *
 * Bytes that the kernel has not taken stay in pieces here, at most one high-water mark of them inside the socket.
 */
export class FrameWriter {
  readonly #socket: Duplex
  #block = Buffer.allocUnsafeSlow(blockBytes)
  /** Bytes before `#from` are handed over, bytes up to `#at` are written. */
  #from = 0
  #at = 0
  #pieces: Uint8Array[] = []

  constructor(socket: Duplex) {
    this.#socket = socket
    socket.on('drain', () => this.#pump())
  }

  /** True while the kernel is behind: nothing more should be written. */
  get congested(): boolean {
    return this.#pieces.length > 0
  }

  /** True when every byte that was flushed has reached the kernel. */
  get drained(): boolean {
    return this.#pieces.length === 0 && this.#socket.writableLength === 0
  }

  parse(name: string, text: string): void {
    const bytes = name.length + 1 + Buffer.byteLength(text) + 1 + 2
    this.#reserve(bytes + 5)
    this.#start(0x50, bytes + 4)
    this.#cstring(name)
    this.#cstring(text)
    this.#int16(0)
  }

  closeStatement(name: string): void {
    this.#reserve(name.length + 7)
    this.#start(0x43, name.length + 6)
    this.#block[this.#at++] = 0x53
    this.#cstring(name)
  }

  /** Bind to the unnamed portal with text parameters and text results, then Execute it without a row limit. */
  bindAndExecute(statement: PreparedStatement, params: readonly Parameter[]): void {
    const { bindHead } = statement
    this.#reserve(bindHead.length + 16)
    const block = this.#block
    const lengthAt = this.#at + 1
    for (let i = 0; i < bindHead.length; i++) block[this.#at++] = bindHead[i]!
    this.#int16(params.length)
    let bytes = bindHead.length - 1 + 2
    for (let i = 0; i < params.length; i++) bytes += this.#parameter(params[i]!)
    this.#reserve(2 + executeFrame.length)
    this.#int16(0)
    block.writeInt32BE(bytes + 2, lengthAt)
    this.#bytes(executeFrame)
  }

  sync(): void {
    this.#reserve(syncFrame.length)
    this.#bytes(syncFrame)
  }

  /** Hands everything written so far to the socket, in one system call when the kernel takes it. */
  flush(): void {
    this.#cut()
    if (this.#pieces.length > 0) this.#pump()
  }

  #pump(): void {
    const pieces = this.#pieces
    const socket = this.#socket
    if (pieces.length === 0 || socket.destroyed) return
    let sent = 0
    if (pieces.length > 1) socket.cork()
    while (sent < pieces.length && !socket.writableNeedDrain) socket.write(pieces[sent++]!)
    this.#pieces = sent === pieces.length ? [] : pieces.slice(sent)
    if (pieces.length > 1) socket.uncork()
    // The socket holds a reference to what it could not write at once; only an empty one lets the block be reused.
    if (this.#pieces.length === 0 && socket.writableLength === 0 && this.#from === this.#at) this.#from = this.#at = 0
  }

  #parameter(value: Parameter): number {
    if (value === null) {
      this.#reserve(4)
      this.#int32(-1)
      return 4
    }
    if (typeof value === 'string') return 4 + this.#text(value)
    let bytes = 0
    for (const chunk of value) bytes += chunk.length
    if (bytes <= inlineMax) {
      this.#reserve(4 + bytes)
      this.#int32(bytes)
      for (const chunk of value) {
        this.#block.set(chunk, this.#at)
        this.#at += chunk.length
      }
      return 4 + bytes
    }
    this.#reserve(4)
    this.#int32(bytes)
    this.#cut()
    for (const chunk of value) if (chunk.length > 0) this.#pieces.push(chunk)
    return 4 + bytes
  }

  #text(value: string): number {
    if (value.length > inlineMax) {
      const encoded = Buffer.from(value)
      this.#reserve(4)
      this.#int32(encoded.length)
      this.#cut()
      this.#pieces.push(encoded)
      return encoded.length
    }
    this.#reserve(4 + value.length * 3)
    const lengthAt = this.#at
    const bytes = this.#block.write(value, lengthAt + 4, 'utf8')
    this.#int32(bytes)
    this.#at += bytes
    return bytes
  }

  #start(type: number, length: number): void {
    this.#block[this.#at++] = type
    this.#int32(length)
  }

  #cstring(value: string): void {
    this.#at += this.#block.write(value, this.#at, 'utf8')
    this.#block[this.#at++] = 0
  }

  #bytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#block[this.#at++] = bytes[i]!
  }

  #int16(value: number): void {
    this.#block[this.#at++] = value >>> 8
    this.#block[this.#at++] = value
  }

  #int32(value: number): void {
    this.#block.writeInt32BE(value, this.#at)
    this.#at += 4
  }

  /** Ends the current piece, so that foreign bytes may follow. */
  #cut(): void {
    if (this.#from < this.#at) this.#pieces.push(this.#block.subarray(this.#from, this.#at))
    this.#from = this.#at
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#block.length) return
    this.#cut()
    this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, bytes))
    this.#from = this.#at = 0
  }
}
