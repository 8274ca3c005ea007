import { errors } from '../errors.ts'

/**
 * The keys of the objects of a body. The first object says which keys there are; every later one must have the same
 * set. Objects nearly always repeat their keys in one order, so that each key is compared with the one expected next,
 * byte by byte and without an allocation; only another order or an escape costs a look-up.
 */
export type BodyKeys = {
  /** Keys of the first object in order of appearance. */
  readonly names: string[]
  readonly openObject: () => void
  /**
   * Where the closing quote of the expected key is, if `bytes` go on with that key at `start` (and it counts as added);
   * else -1.
   */
  readonly skipExpected: (bytes: Uint8Array, start: number) => number
  /** The raw bytes between the quotes of a key of the object that is open. */
  readonly addKey: (bytes: Uint8Array, start: number, end: number) => void
  readonly closeObject: () => void
  /** False once an object had other keys than the first. */
  readonly areUniform: () => boolean
}

export function createBodyKeys(keysMax: number): BodyKeys {
  const names: string[] = []
  const written: Uint8Array[] = []
  const positions = new Map<string, number>()
  /** By position of the key: the number of the object it was last seen in. */
  const seenIn: number[] = []
  let object = 0
  let distinct = 0
  let expected = 0
  let uniform = true

  function learn(bytes: Uint8Array, start: number, end: number): void {
    const name = decodeKey(bytes, start, end)
    if (positions.has(name)) return
    if (names.length === keysMax) throw errors.body(`An object has more than ${keysMax} keys (keysMax)`)
    positions.set(name, names.push(name) - 1)
    written.push(bytes.slice(start, end))
    seenIn.push(object)
  }

  function recognise(position: number): void {
    if (seenIn[position] !== object) {
      seenIn[position] = object
      distinct++
    }
    expected = position + 1
  }

  function addOther(name: string): void {
    const position = positions.get(name)
    if (position === undefined) uniform = false
    else recognise(position)
  }

  return {
    names,
    openObject() {
      object++
      distinct = 0
      expected = 0
    },
    addKey(bytes, start, end) {
      if (object === 1) learn(bytes, start, end)
      else if (uniform) addOther(decodeKey(bytes, start, end))
    },
    skipExpected(bytes, start) {
      const likely = written[expected]
      if (object === 1 || likely === undefined) return -1
      const end = start + likely.length
      if (end >= bytes.length || bytes[end] !== quote) return -1
      for (let i = start; i < end; i++) if (bytes[i] !== likely[i - start]) return -1
      recognise(expected)
      return end
    },
    closeObject() {
      if (object > 1 && distinct !== names.length) uniform = false
    },
    areUniform: () => uniform,
  }
}

const quote = 34

/** The escapes have been checked before, so `JSON.parse` cannot fail. */
function decodeKey(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
  return text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text
}
