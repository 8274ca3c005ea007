import type { UserMessage } from '../wire/messages.ts'

/** How the payload is written; the byte before it says so. */
const json = 0
const userJson = 1
const userBinary = 2

const headBytes = 3

/** What somebody sends, and not the database: those messages are in the log, where each node reads them. */
export type PassedOn = { readonly user: UserMessage } | { readonly json: string }

/**
 * A message as nodes pass it on: how its payload is written, how long its event is (two bytes), the event, and the payload
 * as it came.
 */
export function encodeBroadcast(sent: PassedOn): Buffer {
  if ('json' in sent) return concat(json, '', Buffer.from(sent.json))
  const { event, encoding, bytes } = sent.user
  return concat(encoding === 'json' ? userJson : userBinary, event, bytes)
}

export function decodeBroadcast(bytes: Buffer): PassedOn {
  const form = bytes[0]
  const payloadAt = headBytes + bytes.readUInt16BE(1)
  const event = bytes.toString('utf8', headBytes, payloadAt)
  const payload = bytes.subarray(payloadAt)
  if (form === json) return { json: payload.toString() }
  if (form === userJson || form === userBinary)
    return { user: { event, encoding: form === userJson ? 'json' : 'binary', bytes: payload } }
  throw new RangeError(`a broadcast of another node is written in an unknown way: ${form}`)
}

function concat(form: number, event: string, payload: Buffer): Buffer {
  const eventLength = Buffer.byteLength(event)
  const message = Buffer.allocUnsafe(headBytes + eventLength + payload.length)
  message[0] = form
  message.writeUInt16BE(eventLength, 1)
  message.write(event, headBytes)
  payload.copy(message, headBytes + eventLength)
  return message
}
