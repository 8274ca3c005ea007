import {
  applyAwarenessUpdate,
  Awareness,
  encodeAwarenessUpdate,
  modifyAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness'
import { createDecoder, readVarString, readVarUint } from 'lib0/decoding'
import { Doc } from 'yjs'

/** What members show of themselves: cursors, names, colours. Nothing of it is kept. */
export type AwarenessRoom<Peer> = {
  /** Takes in what a member shows. Throws for other bytes; false when it would be too many states. */
  show(peer: Peer, update: Uint8Array): boolean
  /** Of everybody; undefined when nobody shows anything. */
  all(): Uint8Array | undefined
  leave(peer: Peer): void
  close(): void
}

type Changed = { readonly added: number[]; readonly updated: number[]; readonly removed: number[] }

/** `tell` gets what changed, and from whom when it was a member. */
export function createAwarenessRoom<Peer>(
  statesMax: number,
  tell: (update: Uint8Array, from: Peer | undefined) => void,
): AwarenessRoom<Peer> {
  const awareness = new Awareness(new Doc())
  awareness.setLocalState(null)
  // Whoever showed a state last; a phone that comes back does so before its old socket is given up.
  const showerOf = new Map<number, Peer>()
  const shownBy = (peer: Peer): number[] => [...showerOf].filter(([, by]) => by === peer).map(([client]) => client)
  let showing: Peer | undefined
  awareness.on('update', ({ added, updated, removed }: Changed) =>
    tell(encodeAwarenessUpdate(awareness, [...added, ...updated, ...removed]), showing),
  )

  return {
    show(peer, update) {
      const clients = clientsOf(update)
      if (new Set([...shownBy(peer), ...clients]).size > statesMax) return false
      for (const client of clients) showerOf.set(client, peer)
      showing = peer
      // Written anew, so that nothing passes that is no awareness.
      applyAwarenessUpdate(
        awareness,
        modifyAwarenessUpdate(update, (state: unknown) => state),
        peer,
      )
      showing = undefined
      return true
    },
    all: () =>
      awareness.states.size === 0 ? undefined : encodeAwarenessUpdate(awareness, [...awareness.states.keys()]),
    leave(peer) {
      const clients = shownBy(peer)
      for (const client of clients) showerOf.delete(client)
      removeAwarenessStates(awareness, clients, undefined)
      for (const client of clients) awareness.meta.delete(client)
    },
    close: () => awareness.destroy(),
  }
}

/** Whom an awareness update is about (y-protocols): a count, and for each the client, its clock and its state in JSON. */
function clientsOf(update: Uint8Array): number[] {
  const decoder = createDecoder(update)
  const clients: number[] = []
  for (let left = readVarUint(decoder); left > 0; left -= 1) {
    clients.push(readVarUint(decoder))
    readVarUint(decoder)
    const state: unknown = JSON.parse(readVarString(decoder))
    if (typeof state !== 'object') throw new TypeError('a state of awareness is an object or null')
  }
  return clients
}
