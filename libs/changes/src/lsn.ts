/** A position in the write-ahead log, as Postgres prints it (`0/16B3748`). Throws when the text is none. */
export function parseLsn(text: string): bigint {
  const found = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text)
  if (found === null) throw new TypeError(`"${text}" is not a position in the log; expected one like 0/16B3748`)
  return (BigInt(`0x${found[1]}`) << 32n) | BigInt(`0x${found[2]}`)
}

/** The text that Postgres takes and prints for a position. */
export function printLsn(lsn: bigint): string {
  const hex = (part: bigint): string => part.toString(16).toUpperCase()
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffff_ffffn)}`
}
