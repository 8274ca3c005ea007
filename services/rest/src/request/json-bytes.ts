/** What one byte may do where a JSON text (RFC 8259) is read byte by byte. */

/** Bytes that end the run of plain bytes inside a string: `"`, `\` and control characters. */
export const stopsString = new Uint8Array(256)
for (let byte = 0; byte < 32; byte++) stopsString[byte] = 1
stopsString[34] = 1
stopsString[92] = 1

export const isBlank = new Uint8Array(256)
for (const byte of [9, 10, 13, 32]) isBlank[byte] = 1

/** Bytes that may follow a backslash, `u` aside. */
export const isEscape = new Uint8Array(256)
for (const letter of '"\\/bfnrt') isEscape[letter.charCodeAt(0)] = 1

export const isHex = new Uint8Array(256)
for (const letter of '0123456789abcdefABCDEF') isHex[letter.charCodeAt(0)] = 1

/** The rest of a literal, by its first byte. */
export const literals: ReadonlyMap<number, Uint8Array> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word.slice(1))] as const),
)

/**
 * A number as a state machine: `numberSteps[state * 256 + byte]` is the next state, 0 for none. State 1 is
 * behind the minus, 2 behind a leading zero, 3 in the integer, 4 behind the dot, 5 in the fraction, 6 behind `e`, 7
 * behind its sign, 8 in the exponent.
 */
export const numberSteps = new Uint8Array(9 * 256)
export const numberMayEnd = Uint8Array.from([0, 0, 1, 1, 0, 1, 0, 0, 1])

const zero = '0'
const digit = '123456789'
const dot = '.'
const exponent = 'eE'
const sign = '+-'

const steps: readonly (readonly [state: number, by: string, next: number])[] = [
  [1, zero, 2],
  [1, digit, 3],
  [2, dot, 4],
  [2, exponent, 6],
  [3, zero, 3],
  [3, digit, 3],
  [3, dot, 4],
  [3, exponent, 6],
  [4, zero, 5],
  [4, digit, 5],
  [5, zero, 5],
  [5, digit, 5],
  [5, exponent, 6],
  [6, zero, 8],
  [6, digit, 8],
  [6, sign, 7],
  [7, zero, 8],
  [7, digit, 8],
  [8, zero, 8],
  [8, digit, 8],
]
for (const [state, by, next] of steps) for (const letter of by) numberSteps[state * 256 + letter.charCodeAt(0)] = next
