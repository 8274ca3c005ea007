import type { BodyShape } from './api-request.ts'
import type { BodyKeys } from './body-keys.ts'
import { errors } from '../errors.ts'
import { createBodyKeys } from './body-keys.ts'
import { isBlank, isEscape, isHex, literals, numberMayEnd, numberSteps, stopsString } from './json-bytes.ts'

export type BodyLimits = {
  /** Objects and arrays inside each other. */
  readonly depthMax: number
  /** Keys of one object that become columns or arguments. */
  readonly keysMax: number
  /** Bytes of one such key, as written. */
  readonly keyBytesMax: number
}

const bodyLimits: BodyLimits = { depthMax: 512, keysMax: 1_600, keyBytesMax: 4_096 }

/** Finds out what a JSON body is while its bytes go by; never holds on to a chunk. */
export type BodyScanner = {
  /** The next bytes, cut anywhere. Refuses with PGRST102 as soon as the text cannot be JSON. */
  readonly write: (chunk: Uint8Array) => void
  /** Refuses with PGRST102 an unfinished text and objects whose keys differ. */
  readonly end: () => BodyShape & { kind: 'json' }
}

const valueExpected = 0
const elementOrEnd = 1
const keyOrEnd = 2
const keyExpected = 3
const colonExpected = 4
const afterValue = 5
const inString = 6
const inEscape = 7
const inUnicode = 8
const inNumber = 9
const inLiteral = 10

/** What a string is: a value, a key nobody asks for, or a key that counts. */
const asValue = 0
const asKey = 1
const asCountedKey = 2

const quote = 34
const comma = 44
const minus = 45
const colon = 58
const openArray = 91
const backslash = 92
const closeArray = 93
const letterU = 117
const openObject = 123
const closeObject = 125

const objectMark = 1
const arrayMark = 2

/**
 * One pass over the bytes, one state per byte at most, no allocation per value. It accepts exactly the texts of RFC
 * 8259 within the limits; that strings are UTF-8 is left to Postgres. The state lives in one object between chunks and
 * in local variables inside `write`.
 */
export function createBodyScanner(limits: BodyLimits = bodyLimits): BodyScanner {
  const scan = createScan(limits)
  return {
    write: (chunk) => scanChunk(scan, chunk),
    end: () => toShape(scan),
  }
}

type Scan = {
  readonly limits: BodyLimits
  readonly keys: BodyKeys
  /** What each open level is, from the outside. */
  readonly stack: number[]
  depth: number
  /** What the innermost open level is; 0 outside. */
  mark: number
  state: number
  stringIs: number
  numberState: number
  literal: Uint8Array
  /** How much of a literal or of four hex digits is read. */
  progress: number
  /** The bytes of a counted key that began in an earlier chunk; room for them is made when there is one. */
  carried: Uint8Array | null
  carriedLength: number
  root: 'nothing' | 'object' | 'array' | 'scalar'
  isEmpty: boolean
  hasOtherElements: boolean
}

function createScan(limits: BodyLimits): Scan {
  return {
    limits,
    keys: createBodyKeys(limits.keysMax),
    stack: [0],
    depth: 0,
    mark: 0,
    state: valueExpected,
    stringIs: asValue,
    numberState: 0,
    literal: new Uint8Array(0),
    progress: 0,
    carried: null,
    carriedLength: 0,
    root: 'nothing',
    isEmpty: true,
    hasOtherElements: false,
  }
}

function malformed(): never {
  throw errors.body('Empty or invalid json')
}

function scanChunk(scan: Scan, chunk: Uint8Array): void {
  const length = chunk.length
  let state = scan.state
  /** Where the counted key that is open goes on in this chunk. */
  let keyFrom = 0
  let i = 0
  while (i < length) {
    const byte = chunk[i] as number
    switch (state) {
      case inString: {
        while (i < length && stopsString[chunk[i] as number] === 0) i++
        if (i === length) break
        const stop = chunk[i]
        if (stop === quote) {
          if (scan.stringIs === asCountedKey) endCountedKey(scan, chunk, keyFrom, i)
          state = scan.stringIs === asValue ? afterValue : colonExpected
        } else if (stop === backslash) state = inEscape
        else malformed()
        i++
        break
      }
      case afterValue: {
        i++
        const mark = scan.mark
        if (byte === comma && mark !== 0) state = mark === objectMark ? keyExpected : valueExpected
        else if (byte === closeObject && mark === objectMark) close(scan)
        else if (byte === closeArray && mark === arrayMark) close(scan)
        else if (isBlank[byte] === 0) malformed()
        break
      }
      case keyOrEnd:
      case keyExpected: {
        i++
        if (byte === quote) {
          keyFrom = i
          const end = openKey(scan) ? scan.keys.skipExpected(chunk, i) : -1
          state = end === -1 ? inString : colonExpected
          if (end !== -1) i = end + 1
        } else if (byte === closeObject && state === keyOrEnd) {
          close(scan)
          state = afterValue
        } else if (isBlank[byte] === 0) malformed()
        break
      }
      case colonExpected:
        i++
        if (byte === colon) state = valueExpected
        else if (isBlank[byte] === 0) malformed()
        break
      case inNumber: {
        let number = scan.numberState
        let next = number
        while (i < length && (next = numberSteps[number * 256 + (chunk[i] as number)] as number) !== 0) {
          number = next
          i++
        }
        scan.numberState = number
        if (i === length) break
        if (numberMayEnd[number] === 0) malformed()
        state = afterValue
        break
      }
      case inLiteral:
        i++
        if (byte !== scan.literal[scan.progress]) malformed()
        if (++scan.progress === scan.literal.length) state = afterValue
        break
      case inEscape:
        i++
        if (byte === letterU) {
          state = inUnicode
          scan.progress = 0
        } else if (isEscape[byte] === 1) state = inString
        else malformed()
        break
      case inUnicode:
        i++
        if (isHex[byte] === 0) malformed()
        if (++scan.progress === 4) state = inString
        break
      default:
        i++
        if (isBlank[byte] === 1) break
        if (byte === closeArray && state === elementOrEnd) {
          close(scan)
          state = afterValue
        } else state = openValue(scan, byte)
    }
  }
  scan.state = state
  const isInText = state === inString || state === inEscape || state === inUnicode
  if (isInText && scan.stringIs === asCountedKey) carry(scan, chunk, keyFrom, length)
}

/** Gives the next state. */
function openValue(scan: Scan, byte: number): number {
  if (scan.depth <= 1) noteOuterValue(scan, byte)
  if (byte === quote) {
    scan.stringIs = asValue
    return inString
  }
  if (byte === openObject) return open(scan, objectMark)
  if (byte === openArray) return open(scan, arrayMark)
  return openScalar(scan, byte)
}

/** The body itself, or an element of a body that is an array. */
function noteOuterValue(scan: Scan, byte: number): void {
  if (scan.depth === 0) scan.root = byte === openObject ? 'object' : byte === openArray ? 'array' : 'scalar'
  else if (scan.root === 'array') {
    scan.isEmpty = false
    if (byte !== openObject) scan.hasOtherElements = true
  }
}

function openScalar(scan: Scan, byte: number): number {
  const literal = literals.get(byte)
  if (literal !== undefined) {
    scan.literal = literal
    scan.progress = 0
    return inLiteral
  }
  scan.numberState = byte === minus ? 1 : (numberSteps[256 + byte] as number)
  return scan.numberState === 0 ? malformed() : inNumber
}

function open(scan: Scan, mark: number): number {
  if (scan.depth === scan.limits.depthMax) {
    throw errors.body(`The json is nested deeper than ${scan.limits.depthMax} (depthMax)`)
  }
  scan.stack[++scan.depth] = mark
  scan.mark = mark
  if (mark === arrayMark) return elementOrEnd
  if (isCounted(scan)) scan.keys.openObject()
  return keyOrEnd
}

function close(scan: Scan): void {
  if (scan.mark === objectMark && isCounted(scan)) scan.keys.closeObject()
  scan.mark = scan.stack[--scan.depth] as number
}

/** Whether the object that is open is the body, or an element of the array that is the body. */
function isCounted(scan: Scan): boolean {
  return scan.depth === 1 || (scan.depth === 2 && scan.root === 'array')
}

/** Whether the key counts. */
function openKey(scan: Scan): boolean {
  const counts = isCounted(scan)
  scan.stringIs = counts ? asCountedKey : asKey
  scan.carriedLength = 0
  return counts
}

function endCountedKey(scan: Scan, chunk: Uint8Array, from: number, end: number): void {
  if (scan.carriedLength === 0) {
    mustFitKey(scan, end - from)
    return scan.keys.addKey(chunk, from, end)
  }
  scan.keys.addKey(carry(scan, chunk, from, end), 0, scan.carriedLength)
}

function carry(scan: Scan, chunk: Uint8Array, from: number, end: number): Uint8Array {
  mustFitKey(scan, scan.carriedLength + end - from)
  scan.carried ??= new Uint8Array(scan.limits.keyBytesMax)
  scan.carried.set(chunk.subarray(from, end), scan.carriedLength)
  scan.carriedLength += end - from
  return scan.carried
}

function mustFitKey(scan: Scan, bytes: number): void {
  const { keyBytesMax } = scan.limits
  if (bytes > keyBytesMax) throw errors.body(`A key is longer than ${keyBytesMax} bytes (keyBytesMax)`)
}

function toShape(scan: Scan): BodyShape & { kind: 'json' } {
  const isNumberEnd = scan.state === inNumber && numberMayEnd[scan.numberState] === 1
  if (scan.root === 'nothing' || scan.depth > 0 || !(scan.state === afterValue || isNumberEnd)) malformed()
  if (scan.hasOtherElements || !scan.keys.areUniform()) throw errors.body('All object keys must match')
  if (scan.root === 'scalar') return { kind: 'json', isArray: true, isEmptyArray: true, isScalar: true, keys: [] }
  const isArray = scan.root === 'array'
  return { kind: 'json', isArray, isEmptyArray: isArray && scan.isEmpty, keys: scan.keys.names }
}
