/** First byte of a frame that is a whole message (RFC 6455 §5.2). */
const finalText = 0x81
const finalBinary = 0x82

/**
 * A message as the bytes that go to every socket alike: servers do not mask (RFC 6455 §5.1), so what many get is framed
 * once.
 */
export function toFrame(message: string | Buffer): Buffer {
  const isText = typeof message === 'string'
  const length = isText ? Buffer.byteLength(message) : message.length
  const headLength = length < 126 ? 2 : length < 0x1_0000 ? 4 : 10
  const frame = Buffer.allocUnsafe(headLength + length)
  frame[0] = isText ? finalText : finalBinary
  if (headLength === 2) frame[1] = length
  else if (headLength === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  if (isText) frame.write(message, headLength)
  else message.copy(frame, headLength)
  return frame
}

const close = 0x88
const pong = 0x8a
/** A control frame carries at most this (RFC 6455 §5.5). */
const controlBytesMax = 125

/** Says why the socket ends (RFC 6455 §5.5.1). */
export function toCloseFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, controlBytesMax - 2)
  const body = Buffer.alloc(2 + text.length)
  body.writeUInt16BE(code)
  text.copy(body, 2)
  return Buffer.concat([Buffer.from([close, body.length]), body])
}

export const toPongFrame = (data: Buffer): Buffer => Buffer.concat([Buffer.from([pong, data.length]), data])
