import type { ValueKind } from './value-kinds.ts'

/**
 * Below 0, 0 or above 0, as Postgres orders two values of a kind; undefined when that cannot be said here. Both texts are
 * as Postgres prints them.
 */
export function compareValues(kind: ValueKind, left: string, right: string): number | undefined {
  switch (kind) {
    case 'integer':
      return compareNumbers(BigInt(left), BigInt(right))
    case 'numeric':
      return compareNumerics(left, right)
    case 'float':
      return compareFloats(Number(left), Number(right))
    case 'bytes':
      return Buffer.compare(Buffer.from(left), Buffer.from(right))
    case 'uuid':
    case 'boolean':
      // Hexadecimal digits stand in the order of their bytes, and f before t.
      return compareNumbers(left, right)
    case 'date':
    case 'timestamp':
      return compareTimes(left, right)
    case 'text':
    case 'enum':
      return left === right ? 0 : undefined
  }
}

function compareNumbers<T extends bigint | number | string>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** NaN equals NaN and is above all; minus zero is zero. */
function compareFloats(left: number, right: number): number {
  if (Number.isNaN(left) || Number.isNaN(right))
    return compareNumbers(Number.isNaN(left) ? 1 : 0, Number.isNaN(right) ? 1 : 0)
  return compareNumbers(left, right)
}

function compareNumerics(left: string, right: string): number {
  const [a, b] = [toRank(left), toRank(right)]
  if (a !== 0 || b !== 0) return compareNumbers(a, b)
  const digits = Math.max(countFraction(left), countFraction(right))
  return compareNumbers(toScaled(left, digits), toScaled(right, digits))
}

/** Where a number that has no digits stands beside those that have. */
const toRank = (text: string): number => ({ '-Infinity': -1, Infinity: 1, NaN: 2 })[text] ?? 0

const countFraction = (text: string): number => {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}

const toScaled = (text: string, digits: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(digits - countFraction(text)))

function compareTimes(left: string, right: string): number | undefined {
  const [a, b] = [toMicroseconds(left), toMicroseconds(right)]
  return a === undefined || b === undefined ? undefined : compareNumbers(a, b)
}

const printedTime =
  /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?$/

/** Since 1970, of a date, a timestamp, or a timestamp with its offset; undefined before year 1 and after 9999. */
function toMicroseconds(text: string): bigint | undefined {
  if (text === 'infinity') return 1n << 64n
  if (text === '-infinity') return -(1n << 64n)
  const match = printedTime.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hours = '0', minutes = '0', seconds = '0', fraction = '', sign, ...offset] = match
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const clock = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  const [offsetHours = 0, offsetMinutes = 0, offsetSeconds = 0] = offset.map((part) => Number(part ?? 0))
  const shift = ((offsetHours * 60 + offsetMinutes) * 60 + offsetSeconds) * (sign === '-' ? 1 : -1)
  return BigInt(date.getTime() + (clock + shift) * 1000) * 1000n + BigInt(fraction.padEnd(6, '0'))
}
