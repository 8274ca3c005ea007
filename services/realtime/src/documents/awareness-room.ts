import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import { createDecoder, readVarString, readVarUint } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding'
import { Doc } from 'yjs'

/** What members show of themselves: cursors, names, colours. Nothing of it is kept. */
export type AwarenessRoom<Peer extends object> = {
  /** Takes in what a member shows. Throws for other bytes; false when it would be too many states. */
  show(peer: Peer, update: Uint8Array): boolean
  /** Takes in what members of another node show. Throws for other bytes. */
  showOthers(node: string, update: Uint8Array): void
  /** Of everybody, or of the members of this node; undefined when nobody shows anything. */
  all(): Uint8Array | undefined
  own(): Uint8Array | undefined
  /** A member is gone, or a node with all of its members. */
  leave(who: Peer | string): void
  close(): void
}

export type AwarenessRoomDeps<Peer> = {
  /** Most states of one member. */
  readonly statesMax: number
  /** Members are told what has changed, but not who said so, if that was one of them. */
  readonly tell: (update: Uint8Array, from: Peer | undefined) => void
  /** Other nodes are told what members of this one show. */
  readonly tellOthers: (update: Uint8Array) => void
}

type Changed = { readonly added: number[]; readonly updated: number[]; readonly removed: number[] }

export function createAwarenessRoom<Peer extends object>(deps: AwarenessRoomDeps<Peer>): AwarenessRoom<Peer> {
  const { statesMax, tell, tellOthers } = deps
  const awareness = new Awareness(new Doc())
  awareness.setLocalState(null)
  // Whoever showed a state last, a member or a node; a phone that comes back does so before its old socket is given up.
  const showerOf = new Map<number, Peer | string>()
  const shownBy = (who: Peer | string): number[] =>
    [...showerOf].filter(([, by]) => by === who).map(([client]) => client)
  let showing: Peer | undefined
  awareness.on('update', ({ added, updated, removed }: Changed) =>
    tell(encodeAwarenessUpdate(awareness, [...added, ...updated, ...removed]), showing),
  )

  const clockOf = (client: number): number => awareness.meta.get(client)?.clock ?? 0

  function encode(clients: readonly number[]): Uint8Array | undefined {
    const shown = clients.filter((client) => awareness.states.has(client))
    return shown.length === 0 ? undefined : encodeAwarenessUpdate(awareness, shown)
  }

  function remove(clients: readonly number[]): void {
    for (const client of clients) showerOf.delete(client)
    removeAwarenessStates(awareness, [...clients], undefined)
    // Who comes back with the same clock is seen again.
    for (const client of clients) awareness.meta.delete(client)
  }

  return {
    show(peer, update) {
      const shown = listShown(update)
      const clients = shown.map(({ client }) => client)
      if (new Set([...shownBy(peer), ...clients]).size > statesMax) return false
      for (const client of clients) showerOf.set(client, peer)
      // Written anew, so that nothing passes that is no awareness.
      const own = writeShown(shown)
      showing = peer
      applyAwarenessUpdate(awareness, own, peer)
      showing = undefined
      // Also what is known: others may know it from a node that the member has left.
      tellOthers(own)
      return true
    },
    showOthers(node, update) {
      const shown = listShown(update)
      const here = shown.filter(({ client, clock, json }) => json !== gone && clock >= clockOf(client))
      for (const { client } of here) showerOf.set(client, node)
      applyAwarenessUpdate(awareness, writeShown(here), node)
      // Who has come to another node since then is still there.
      remove(
        shown.filter(({ client, json }) => json === gone && showerOf.get(client) === node).map(({ client }) => client),
      )
    },
    all: () => encode([...awareness.states.keys()]),
    own: () => encode([...showerOf].filter(([, by]) => typeof by !== 'string').map(([client]) => client)),
    leave(who) {
      const clients = shownBy(who)
      if (typeof who !== 'string' && clients.length > 0)
        tellOthers(writeShown(clients.map((client) => ({ client, clock: clockOf(client), json: gone }))))
      remove(clients)
    },
    close: () => awareness.destroy(),
  }
}

type Shown = { readonly client: number; readonly clock: number; readonly json: string }

/** The state of who shows nothing any more. */
const gone = 'null'

/** An awareness update (y-protocols) is a count, and for each the client, its clock and its state in JSON. */
function listShown(update: Uint8Array): readonly Shown[] {
  const decoder = createDecoder(update)
  const shown: Shown[] = []
  for (let left = readVarUint(decoder); left > 0; left -= 1) {
    const client = readVarUint(decoder)
    const clock = readVarUint(decoder)
    const state: unknown = JSON.parse(readVarString(decoder))
    if (typeof state !== 'object') throw new TypeError('a state of awareness is an object or null')
    shown.push({ client, clock, json: JSON.stringify(state) })
  }
  return shown
}

function writeShown(shown: readonly Shown[]): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, shown.length)
  for (const { client, clock, json } of shown) {
    writeVarUint(encoder, client)
    writeVarUint(encoder, clock)
    writeVarString(encoder, json)
  }
  return toUint8Array(encoder)
}
