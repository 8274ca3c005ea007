import { nodeIdLength } from './envelope.ts'

/** The payload of a notification is shorter than 8,000 bytes; the head takes less than 60, and base64 four for three. */
export const partBytesMax = 5940

/**
 * A frame as texts that fit into notifications: `<sender><frame's number>.<part's number>.<parts>.<base64>`, numbers in base 36.
 * All of a frame are sent one after the other.
 */
export function splitFrame(frame: Buffer, sender: string, number: number): string[] {
  const count = Math.ceil(frame.length / partBytesMax)
  return Array.from({ length: count }, (_, index) => {
    const bytes = frame.toString('base64', index * partBytesMax, Math.min(frame.length, (index + 1) * partBytesMax))
    return `${sender}${number.toString(36)}.${index.toString(36)}.${count.toString(36)}.${bytes}`
  })
}

export const senderOfPart = (text: string): string => text.slice(0, nodeIdLength)

/** Puts the frames of all senders together again. */
export type FrameJoiner = {
  /** The frame that this part completes. Throws a `RangeError` when the text is no part, or of a frame that is too large. */
  take(text: string): Buffer | undefined
  forget(sender: string): void
}

type Open = { readonly number: string; readonly parts: Buffer[] }

/** How many frames of the largest size may be open at once: anybody on the database may notify, under any name. */
const openFramesMax = 8

const form = /^([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)\./

/**
 * Of each sender one frame is open at a time. One whose parts do not follow each other is forgotten: its sender lost the
 * connection within it and sends it again if it must arrive.
 */
export function createFrameJoiner(frameBytesMax: number): FrameJoiner {
  const partsMax = Math.ceil(frameBytesMax / partBytesMax) + 1
  const open = new Map<string, Open>()
  let openParts = 0

  const close = (sender: string): Open | undefined => {
    const found = open.get(sender)
    openParts -= found?.parts.length ?? 0
    open.delete(sender)
    return found
  }
  return {
    take: (text) => {
      const sender = senderOfPart(text)
      const head = form.exec(text.slice(nodeIdLength, nodeIdLength + 60))
      if (head === null) throw new RangeError('a notification is no part of a message')
      const number = head[1]!
      const index = parseInt(head[2]!, 36)
      const count = parseInt(head[3]!, 36)
      if (count > partsMax) throw new RangeError(`a message has ${count} parts: it is too large`)
      const bytes = Buffer.from(text.slice(nodeIdLength + head[0].length), 'base64')
      const found = close(sender)
      if (count === 1) return bytes
      const begun = index === 0 ? { number, parts: [] } : found
      if (begun === undefined || begun.number !== number || begun.parts.length !== index) return undefined
      begun.parts.push(bytes)
      if (index + 1 === count) return Buffer.concat(begun.parts)
      open.set(sender, begun)
      openParts += begun.parts.length
      // The one that was not continued for the longest time.
      if (openParts > openFramesMax * partsMax) close(open.keys().next().value!)
      return undefined
    },
    forget: (sender) => void close(sender),
  }
}
