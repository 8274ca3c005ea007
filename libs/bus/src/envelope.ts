import type { Delivery } from './bus.ts'

/**
 * What travels: a message, or something that the processes themselves have to say (a note). Bytes on the way: the kind, the
 * sender, its number, the length of the channel's name, the name, and the body.
 */
export type Envelope = {
  readonly kind: Delivery | 'note'
  /** `nodeIdLength` characters of ASCII. */
  readonly sender: string
  /** Each kind of a sender counts for itself, from 1. */
  readonly number: number
  /** Empty for a note. */
  readonly channel: string
  readonly body: Uint8Array
}

export const nodeIdLength = 16

const kinds = ['may', 'must', 'note'] as const
const numberAt = 1 + nodeIdLength
const lengthAt = numberAt + 6
const channelAt = lengthAt + 2

export function encodeEnvelope({ kind, sender, number, channel, body }: Envelope): Buffer {
  const channelBytes = Buffer.byteLength(channel)
  const frame = Buffer.allocUnsafe(channelAt + channelBytes + body.length)
  frame[0] = kinds.indexOf(kind)
  frame.write(sender, 1, nodeIdLength, 'latin1')
  frame.writeUIntBE(number, numberAt, 6)
  frame.writeUInt16BE(channelBytes, lengthAt)
  frame.write(channel, channelAt)
  frame.set(body, channelAt + channelBytes)
  return frame
}

/** Who sent it, without looking further. */
export const senderOf = (frame: Buffer): string => frame.toString('latin1', 1, numberAt)

/** The body is a view of the frame. Throws a `RangeError` when the frame is none. */
export function decodeEnvelope(frame: Buffer): Envelope & { readonly body: Buffer } {
  const kind = kinds[frame.readUInt8(0)]
  if (kind === undefined) throw new RangeError(`${frame[0]} is no kind of message; is another version of Pando there?`)
  const bodyAt = channelAt + frame.readUInt16BE(lengthAt)
  if (bodyAt > frame.length) throw new RangeError('a message of the bus ends within the name of its channel')
  return {
    kind,
    sender: senderOf(frame),
    number: frame.readUIntBE(numberAt, 6),
    channel: frame.toString('utf8', channelAt, bodyAt),
    body: frame.subarray(bodyAt),
  }
}
