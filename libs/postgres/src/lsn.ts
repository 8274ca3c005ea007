/** A place in the log of Postgres, comparable: later is greater. */
export type Lsn = bigint

/** Greater than every place in a log. */
export const beyondEveryLsn: Lsn = 1n << 64n

/** Reads Postgres' form of a place, for example `16/B374D848`; undefined for any other text. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match === null) return undefined
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** The same of a text that Postgres wrote itself; throws when it is no place. */
export function mustParseLsn(text: string): Lsn {
  const lsn = parseLsn(text)
  if (lsn === undefined) throw new TypeError(`"${text}" is not a place in the log; expected one like 0/16B3748`)
  return lsn
}

/** Writes a place as Postgres does. */
export function printLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase()
}

export function laterLsn(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b
}
