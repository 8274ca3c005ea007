/** Letters of the protocol's messages (PostgreSQL documentation, "Message Formats"), by their codes. */
const code = (letter: string): number => letter.charCodeAt(0)

export const backend = {
  copyBothResponse: code('W'),
  copyData: code('d'),
  copyDone: code('c'),
  dataRow: code('D'),
  errorResponse: code('E'),
  readyForQuery: code('Z'),
} as const

/** What CopyData holds while a slot is read ("Streaming Replication Protocol"). */
export const stream = { xLogData: code('w'), keepalive: code('k') } as const

/** Letter, two positions and the server's time stand before the payload of XLogData. */
export const xLogDataHeaderBytes = 25

/** CopyDone and Terminate. */
export const goodbye = Buffer.from([code('c'), 0, 0, 0, 4, code('X'), 0, 0, 0, 4])

export function toQueryFrame(text: string): Buffer {
  const body = Buffer.from(`${text}\0`)
  const frame = Buffer.alloc(5 + body.length)
  frame[0] = code('Q')
  frame.writeInt32BE(4 + body.length, 1)
  body.copy(frame, 5)
  return frame
}

/** 2000-01-01 in milliseconds since the epoch: where Postgres begins to count. */
const postgresEpochMs = 946_684_800_000

/** A time of the protocol as milliseconds since the epoch, microseconds as fraction. */
export const toEpochMs = (micros: bigint): number => postgresEpochMs + Number(micros) / 1000

/** A time of the protocol as `2026-11-22T13:05:12.123456Z`. */
export function toIsoTime(micros: bigint): string {
  const wholeMs = micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n
  const iso = new Date(postgresEpochMs + Number(wholeMs)).toISOString()
  return `${iso.slice(0, -1)}${String(micros - wholeMs * 1000n).padStart(3, '0')}Z`
}

export type Status = {
  /** Everything before it has arrived. */
  readonly writtenLsn: bigint
  /** Everything before it may be forgotten; 0 leaves the slot alone. */
  readonly confirmedLsn: bigint
  readonly nowMs: number
  /** Whether the server shall answer with a keepalive. */
  readonly wantsReply: boolean
}

export function toStatusFrame(status: Status): Buffer {
  const frame = Buffer.alloc(39)
  frame[0] = backend.copyData
  frame.writeInt32BE(38, 1)
  frame[5] = code('r')
  frame.writeBigUInt64BE(status.writtenLsn, 6)
  frame.writeBigUInt64BE(status.confirmedLsn, 14)
  frame.writeBigUInt64BE(status.confirmedLsn, 22)
  frame.writeBigInt64BE(BigInt(Math.round((status.nowMs - postgresEpochMs) * 1000)), 30)
  frame[38] = status.wantsReply ? 1 : 0
  return frame
}
