import type { PostgresErrorFields } from '../errors.ts'

/** An ErrorResponse as the connection needs it: what the caller gets, and what decides about the connection. */
export type ErrorReply = {
  readonly fields: PostgresErrorFields
  /** The session ends: no ReadyForQuery follows. */
  readonly fatal: boolean
  /** Name of the function in Postgres' source, never translated. */
  readonly routine: string | undefined
}

/** Reads the body of an ErrorResponse (protocol, "Error and Notice Message Fields"). */
export function toErrorReply(bytes: Buffer, start: number, end: number): ErrorReply {
  const texts = toFields(bytes, start, end)
  const position = texts.get('P')
  // 'V' is the severity that is never translated; 'S' the one people read.
  const severity = texts.get('V') ?? texts.get('S') ?? 'ERROR'
  const fields: PostgresErrorFields = {
    severity,
    code: texts.get('C') ?? 'XX000',
    message: texts.get('M') ?? '',
    detail: texts.get('D'),
    hint: texts.get('H'),
    position: position === undefined ? undefined : Number(position),
    where: texts.get('W'),
    schema: texts.get('s'),
    table: texts.get('t'),
    column: texts.get('c'),
    constraint: texts.get('n'),
  }
  return { fields, fatal: severity === 'FATAL' || severity === 'PANIC', routine: texts.get('R') }
}

function toFields(bytes: Buffer, start: number, end: number): Map<string, string> {
  const texts = new Map<string, string>()
  let at = start
  while (at < end && bytes[at] !== 0) {
    const stop = bytes.indexOf(0, at + 1)
    if (stop < 0 || stop >= end) break
    texts.set(String.fromCharCode(bytes[at]!), bytes.toString('utf8', at + 1, stop))
    at = stop + 1
  }
  return texts
}
