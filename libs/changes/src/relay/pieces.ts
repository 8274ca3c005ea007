/** Largest piece, in bytes: a transaction may be much larger than what processes may say at once. */
export const pieceBytesMax = 1024 ** 2

const headBytes = 12

/** A message as pieces that are sent one after the other; each begins with the message's number, its own and how many there are. */
export function splitMessage(message: Buffer, number: number): Buffer[] {
  const count = Math.max(1, Math.ceil(message.length / pieceBytesMax))
  return Array.from({ length: count }, (_, index) => {
    const body = message.subarray(index * pieceBytesMax, (index + 1) * pieceBytesMax)
    const head = Buffer.allocUnsafe(headBytes)
    head.writeUInt32BE(number, 0)
    head.writeUInt32BE(index, 4)
    head.writeUInt32BE(count, 8)
    return Buffer.concat([head, body])
  })
}

/** Puts the pieces of each sender together again; a message of which one is missing does not come out. */
export function createPieceJoiner(messageBytesMax: number) {
  const open = new Map<string, { readonly number: number; readonly bodies: Buffer[] }>()
  return {
    /** The message that this piece completes. Throws a `RangeError` when it is none. */
    take: (piece: Buffer, sender: string): Buffer | undefined => {
      const [number, index, count] = [piece.readUInt32BE(0), piece.readUInt32BE(4), piece.readUInt32BE(8)]
      if (count * pieceBytesMax > messageBytesMax + pieceBytesMax) {
        throw new RangeError(`${count} pieces are more than the log may hold; do all processes have the same options?`)
      }
      const body = piece.subarray(headBytes)
      if (count === 1) return body
      const begun = index === 0 ? { number, bodies: [] } : open.get(sender)
      open.delete(sender)
      if (begun === undefined || begun.number !== number || begun.bodies.length !== index) return undefined
      begun.bodies.push(body)
      if (index + 1 === count) return Buffer.concat(begun.bodies)
      open.set(sender, begun)
      return undefined
    },
    forget: (sender: string): void => void open.delete(sender),
  }
}
