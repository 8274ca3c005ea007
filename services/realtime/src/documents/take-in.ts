import {
  applyUpdate,
  decodeStateVector,
  decodeUpdate,
  type Doc,
  encodeStateVector,
  getState,
  Item,
  mergeUpdates,
  parseUpdateMeta,
  Skip,
  transact,
} from 'yjs'

/** What was new in an update. `isExact` when it holds nothing that its sender does not have. */
export type News = { readonly update: Uint8Array; readonly isExact: boolean }

/** A client with more edits than this is made up: numbers above cannot be encoded for ever. */
const clockMax = 2 ** 31

/**
 * Whether an update builds only on what is in the document or in itself. What builds on missing things would wait inside
 * the document for a base that may never come, and could break it when somebody else brings that. Throws when the bytes
 * are no update; the reader used here takes no memory for what bytes only claim to have.
 */
export function isComplete({ store }: Doc, update: Uint8Array): boolean {
  const { structs, ds } = decodeUpdate(update)
  const ends = new Map<number, number>()
  const endOf = (client: number): number => ends.get(client) ?? getState(store, client)
  for (const struct of structs) {
    const { client, clock } = struct.id
    const end = clock + struct.length
    if (struct instanceof Skip || clock > endOf(client) || end > clockMax) return false
    ends.set(client, Math.max(endOf(client), end))
  }
  const isHere = (at: unknown): boolean => !isId(at) || at.clock < endOf(at.client)
  const isBased = (struct: (typeof structs)[number]): boolean =>
    !(struct instanceof Item) || [struct.origin, struct.rightOrigin, struct.parent].every(isHere)
  const deletes = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => [client, clock + len] as const),
  )
  return structs.every(isBased) && deletes.every(([client, end]) => end <= endOf(client))
}

/** A parent is the name of a root, or the place of the item that holds it. */
const isId = (at: unknown): at is { client: number; clock: number } =>
  typeof at === 'object' && at !== null && 'client' in at && 'clock' in at

/**
 * Applies updates and says what was new, as the library writes it; undefined when nothing was. When it throws, the
 * document may be half changed and is of no use any more.
 */
export function takeIn(doc: Doc, updates: readonly Uint8Array[]): News | undefined {
  const written: Uint8Array[] = []
  const note = (part: Uint8Array): void => void written.push(part)
  doc.on('update', note)
  try {
    transact(doc, () => updates.forEach((update) => applyUpdate(doc, update)))
  } finally {
    doc.off('update', note)
  }
  // More than one: the library also tidied up after the edit.
  return written.length === 0 ? undefined : { update: mergeAll(written), isExact: written.length === 1 }
}

/** Whether something waits in the document for what is missing. */
export const isWaiting = ({ store }: Doc): boolean => store.pendingStructs !== null || store.pendingDs !== null

export const mergeNews = (news: readonly News[]): News | undefined =>
  news.length === 0
    ? undefined
    : { update: mergeAll(news.map(({ update }) => update)), isExact: news.every(({ isExact }) => isExact) }

const mergeAll = (updates: readonly Uint8Array[]): Uint8Array =>
  updates.length === 1 ? updates[0]! : mergeUpdates([...updates])

/** Of somebody who has nothing. */
export const emptyVector = new Uint8Array([0])

/** The state vector of somebody who has all of a document but these updates. */
export function vectorWithout(doc: Doc | undefined, updates: readonly Uint8Array[]): Uint8Array {
  if (doc === undefined) return emptyVector
  const vector = decodeStateVector(encodeStateVector(doc))
  for (const update of updates) {
    for (const [client, clock] of parseUpdateMeta(update).from) {
      vector.set(client, Math.min(clock, vector.get(client) ?? 0))
    }
  }
  return encodeStateVector(vector)
}
