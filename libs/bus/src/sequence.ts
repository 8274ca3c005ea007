/** The `must` messages of one sender, in order and without doubles. */
export type Sequence<Message> = {
  /** Takes a message and passes on what is due now. Returns false for a double. */
  take(number: number, message: Message, bytes: number): boolean
  /** The sender has sent as many as this. */
  heard(last: number): void
  /** The sender no longer has those before `first`. Returns whether one of them is missing. */
  skipTo(first: number): boolean
  /** The first one that is known to exist and has not come; undefined when none is. */
  readonly missing: number | undefined
}

type Held<Message> = { readonly message: Message; readonly bytes: number }

/**
 * Begins after `last`. Messages that come before one that is missing are held, up to `heldBytesMax`; what does not fit is
 * asked for again.
 */
export function createSequence<Message>(
  last: number,
  heldBytesMax: number,
  deliver: (message: Message) => void,
): Sequence<Message> {
  const held = new Map<number, Held<Message>>()
  let heldBytes = 0
  let delivered = last
  let known = last

  const deliverHeld = (): void => {
    for (let next = held.get(delivered + 1); next !== undefined; next = held.get(delivered + 1)) {
      held.delete(++delivered)
      heldBytes -= next.bytes
      deliver(next.message)
    }
  }
  return {
    take: (number, message, bytes) => {
      if (number <= delivered || held.has(number)) return false
      if (number > known) known = number
      if (number === delivered + 1) {
        delivered = number
        deliver(message)
        if (held.size > 0) deliverHeld()
      } else if (heldBytes + bytes <= heldBytesMax) {
        held.set(number, { message, bytes })
        heldBytes += bytes
      }
      return true
    },
    heard: (sent) => {
      if (sent > known) known = sent
    },
    skipTo: (first) => {
      if (first <= delivered + 1) return false
      let isMissing = false
      for (let number = delivered + 1; number < first; number++) {
        const next = held.get(number)
        delivered = number
        if (next === undefined) isMissing = true
        else {
          held.delete(number)
          heldBytes -= next.bytes
          deliver(next.message)
        }
      }
      if (delivered > known) known = delivered
      deliverHeld()
      return isMissing
    },
    get missing() {
      return delivered < known ? delivered + 1 : undefined
    },
  }
}
