import { errors } from '../errors.ts'

const percent = 37
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * One name or value of `application/x-www-form-urlencoded` text, decoded: `+` is a blank, a `%` that no two hex digits
 * follow stands for itself. Refuses text that is not UTF-8 and the character NUL, which Postgres cannot hold.
 */
export function decodeComponent(raw: string): string {
  const hasPercent = raw.includes('%')
  const spaced = raw.includes('+') ? raw.replaceAll('+', ' ') : raw
  const text = hasPercent ? decodePercent(spaced) : spaced
  if (text.includes('\0')) throw errors.query('"failed to decode query string"', 'the character NUL is not allowed')
  return text
}

/** Percent-decoding alone, as paths have it: `+` stands for itself. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return decodeLoosely(text)
  }
}

/** For text with a `%` that is no escape; off the usual path. */
function decodeLoosely(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  let length = 0
  for (let i = 0; i < bytes.length; length++) {
    const escaped = bytes[i] === percent ? hexByte(bytes, i + 1) : -1
    bytes[length] = escaped === -1 ? (bytes[i] ?? 0) : escaped
    i += escaped === -1 ? 1 : 3
  }
  return mustDecodeUtf8(bytes.subarray(0, length))
}

function hexByte(bytes: Uint8Array, at: number): number {
  const high = hexDigit(bytes[at])
  const low = hexDigit(bytes[at + 1])
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

function hexDigit(unit: number | undefined): number {
  if (unit === undefined) return -1
  if (unit >= 48 && unit <= 57) return unit - 48
  const lower = unit | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function mustDecodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw errors.query('"failed to decode request URL"', 'the text is not valid UTF-8')
  }
}
