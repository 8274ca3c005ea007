/** Receives one backend message: its type byte and the range of its body inside `bytes`. */
export type ReplySink = { reply(type: number, bytes: Buffer, start: number, end: number): void }

const headerBytes = 5
/** Postgres sends nothing larger; more means that the stream is out of step. */
const messageBytesMax = 0x40_00_00_00

/**
 * Cuts the byte stream into backend messages wherever the chunks end. A message inside one chunk is passed on in place;
 * one that is split is collected into a buffer of exactly its size, so every byte is copied at most once.
 */
export class ReplyReader {
  readonly #sink: ReplySink
  readonly #header = Buffer.alloc(headerBytes)
  #headerLength = 0
  /** The split message: its body, and how much of it has come. */
  #body: Buffer | null = null
  #bodyLength = 0

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  read(chunk: Buffer): void {
    let at = 0
    if (this.#headerLength > 0) at = this.#finishSplit(chunk)
    while (chunk.length - at >= headerBytes) {
      const bodyEnd = at + 1 + toLength(chunk, at + 1)
      if (bodyEnd > chunk.length) break
      this.#sink.reply(chunk[at]!, chunk, at + headerBytes, bodyEnd)
      at = bodyEnd
    }
    if (at < chunk.length) this.#startSplit(chunk, at)
  }

  #startSplit(chunk: Buffer, at: number): void {
    this.#headerLength = chunk.copy(this.#header, 0, at, at + headerBytes)
    if (this.#headerLength < headerBytes) return
    this.#body = Buffer.allocUnsafeSlow(toLength(this.#header, 1) - 4)
    this.#bodyLength = chunk.copy(this.#body, 0, at + headerBytes)
  }

  /** Adds to the split message and passes it on when it is complete; returns how much of the chunk that took. */
  #finishSplit(chunk: Buffer): number {
    let at = 0
    if (this.#body === null) {
      at = chunk.copy(this.#header, this.#headerLength, 0, headerBytes - this.#headerLength)
      this.#headerLength += at
      if (this.#headerLength < headerBytes) return at
      this.#body = Buffer.allocUnsafeSlow(toLength(this.#header, 1) - 4)
      this.#bodyLength = 0
    }
    const taken = chunk.copy(this.#body, this.#bodyLength, at)
    this.#bodyLength += taken
    if (this.#bodyLength < this.#body.length) return at + taken
    const body = this.#body
    this.#body = null
    this.#headerLength = 0
    this.#sink.reply(this.#header[0]!, body, 0, body.length)
    return at + taken
  }
}

function toLength(bytes: Buffer, at: number): number {
  const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  if (length < 4 || length > messageBytesMax) {
    throw new RangeError(`Postgres announced a message of ${length} bytes; the stream is out of step`)
  }
  return length
}

/** The cells of a DataRow whose body starts at `at`: views of `bytes`, null for SQL null. */
export function toRow(bytes: Buffer, at: number): (Buffer | null)[] {
  const count = (bytes[at]! << 8) | bytes[at + 1]!
  const row: (Buffer | null)[] = []
  let next = at + 2
  for (let i = 0; i < count; i++) {
    const length = (bytes[next]! << 24) | (bytes[next + 1]! << 16) | (bytes[next + 2]! << 8) | bytes[next + 3]!
    next += 4
    if (length < 0) {
      row.push(null)
    } else {
      row.push(bytes.subarray(next, next + length))
      next += length
    }
  }
  return row
}
