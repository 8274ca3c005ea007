import type { Values } from '../change.ts'

const nullValue = 'n'.charCodeAt(0)
const unchangedValue = 'u'.charCodeAt(0)
const textValue = 't'.charCodeAt(0)
/** Also in the lengths between the values, which then only costs time. */
const beyondAscii = /[\x80-\xff]/

/** Reads fields of the protocol one after the other from a range of bytes; throws a `RangeError` past its end. */
export class ByteReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  /** A text that a zero byte ends. */
  text(): string {
    const stop = this.#bytes.indexOf(0, this.#at)
    if (stop < 0 || stop >= this.#end) throw outOfStep()
    const start = this.#take(stop + 1 - this.#at)
    return this.#bytes.toString('utf8', start, stop)
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Buffer {
    const start = this.#take(length)
    return Buffer.from(this.#bytes.subarray(start, start + length))
  }

  /**
   * A row (TupleData). This is the hot loop: a call out of JavaScript for each value would cost more than all the rest, so
   * a row of plain ASCII becomes one text of which the values are parts.
   */
  tuple(): Values {
    const bytes = this.#bytes
    const start = this.#at
    const whole = bytes.toString('latin1', start, this.#end)
    const isAscii = !beyondAscii.test(whole)
    const count = this.uint16()
    // An array that grows by itself would keep room for more values than most rows have.
    const values = Array<string | null | undefined>(count)
    let at = this.#at
    for (let i = 0; i < count; i++) {
      const kind = bytes[at++]
      if (kind === textValue && at + 4 <= this.#end) {
        const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
        const from = at + 4
        at = from + length
        if (length < 0 || at > this.#end) throw outOfStep()
        values[i] = isAscii ? whole.substring(from - start, at - start) : bytes.toString('utf8', from, at)
      } else if (kind === nullValue) {
        values[i] = null
      } else if (kind === unchangedValue) {
        values[i] = undefined
      } else {
        throw outOfStep()
      }
    }
    if (at > this.#end) throw outOfStep()
    this.#at = at
    return values
  }

  mustBe(byte: number): void {
    const found = this.uint8()
    if (found !== byte) throw new RangeError(`pgoutput sent byte ${found} where ${byte} belongs`)
  }

  mustBeAtEnd(): void {
    if (this.#at !== this.#end) throw outOfStep()
  }

  /** Steps over `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.#at
    if (start + length > this.#end) throw outOfStep()
    this.#at = start + length
    return start
  }
}

const outOfStep = (): RangeError => new RangeError('a message of pgoutput does not end where it should')
