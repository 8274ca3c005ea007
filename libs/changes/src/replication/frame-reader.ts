/** Receives the backend's messages ("frames") of the connection. */
export type FrameSink = {
  /** True stops the reader before the next frame. */
  isHeld(): boolean
  /** One frame: its type byte and the range of its body inside `bytes`, which is not kept. */
  frame(type: number, bytes: Buffer, start: number, end: number): void
  /** In place of a frame whose body is longer than allowed: its first bytes; the rest is thrown away as it comes. */
  oversized(type: number, head: Buffer, bodyBytes: number): void
}

const headerBytes = 5
/** What is kept of an oversized frame: enough to see which message of which table it is. */
const headBytesMax = 64
/** Postgres sends nothing larger; more means that the stream is out of step. */
const announcedBytesMax = 0x40_00_00_00

/**
 * Cuts the byte stream into frames wherever the chunks end, as the pipeline's reader does, but holds at most
 * `frameBytesMax` of one: a row may be a gigabyte.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #frameBytesMax: number
  readonly #header = Buffer.alloc(headerBytes)
  #headerLength = 0
  /** The split frame: its body, or the head of an oversized one, and how much of it has come. */
  #body: Buffer | undefined
  #bodyLength = 0
  /** Bytes of an oversized frame that are still to come and to be thrown away. */
  #skipped = 0

  constructor(sink: FrameSink, frameBytesMax: number) {
    this.#sink = sink
    this.#frameBytesMax = frameBytesMax
  }

  /** Takes what came, or less when held, and returns how many bytes; throws a `RangeError` when it cannot be a frame. */
  read(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && !this.#sink.isHeld()) {
      if (this.#skipped > 0) at += this.#skip(chunk.length - at)
      else if (this.#headerLength > 0) at = this.#continueSplit(chunk, at)
      else at = this.#readWhole(chunk, at)
    }
    return at
  }

  /** Passes on a frame that the chunk holds as a whole, in place; otherwise begins to collect it. */
  #readWhole(chunk: Buffer, at: number): number {
    if (chunk.length - at >= headerBytes) {
      const bodyBytes = toBodyBytes(chunk, at + 1)
      const end = at + headerBytes + bodyBytes
      if (end <= chunk.length && bodyBytes <= this.#frameBytesMax) {
        this.#sink.frame(chunk[at]!, chunk, at + headerBytes, end)
        return end
      }
    }
    return this.#continueSplit(chunk, at)
  }

  #continueSplit(chunk: Buffer, at: number): number {
    let next = at
    if (this.#body === undefined) {
      const copied = chunk.copy(this.#header, this.#headerLength, next, next + headerBytes - this.#headerLength)
      this.#headerLength += copied
      next += copied
      if (this.#headerLength < headerBytes) return next
      const bodyBytes = toBodyBytes(this.#header, 1)
      this.#body = Buffer.allocUnsafeSlow(bodyBytes > this.#frameBytesMax ? headBytesMax : bodyBytes)
      this.#bodyLength = 0
    }
    const copied = chunk.copy(this.#body, this.#bodyLength, next)
    this.#bodyLength += copied
    if (this.#bodyLength === this.#body.length) this.#finish(this.#body)
    return next + copied
  }

  #finish(body: Buffer): void {
    const bodyBytes = toBodyBytes(this.#header, 1)
    this.#body = undefined
    this.#headerLength = 0
    if (bodyBytes <= this.#frameBytesMax) return this.#sink.frame(this.#header[0]!, body, 0, body.length)
    this.#skipped = bodyBytes - body.length
    this.#sink.oversized(this.#header[0]!, body, bodyBytes)
  }

  #skip(available: number): number {
    const skipped = Math.min(this.#skipped, available)
    this.#skipped -= skipped
    return skipped
  }
}

function toBodyBytes(bytes: Buffer, at: number): number {
  const length = bytes.readInt32BE(at)
  if (length < 4 || length > announcedBytesMax) {
    throw new RangeError(`Postgres announced a message of ${length} bytes; the stream is out of step`)
  }
  return length - 4
}
