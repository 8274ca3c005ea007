import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding'
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'

/** First number of a message, as the providers of Yjs have agreed (y-websocket). */
const sync = 0
const awareness = 1
const askAwareness = 3

export type DocumentMessage =
  /** What somebody has, and asks what it lacks: sync step 1. */
  | { readonly kind: 'ask'; readonly stateVector: Uint8Array }
  /** An answer to that (sync step 2), which may be a whole document, or an edit. */
  | { readonly kind: 'answer' | 'update'; readonly update: Uint8Array }
  | { readonly kind: 'awareness'; readonly update: Uint8Array }
  | { readonly kind: 'askAwareness' }

const syncKinds = new Map<number, 'ask' | 'answer' | 'update'>([
  [messageYjsSyncStep1, 'ask'],
  [messageYjsSyncStep2, 'answer'],
  [messageYjsUpdate, 'update'],
])

/** What a message of y-protocols says; undefined for other bytes. */
export function parseDocumentMessage(bytes: Uint8Array): DocumentMessage | undefined {
  const decoder = createDecoder(bytes)
  try {
    const type = readVarUint(decoder)
    if (type === askAwareness) return { kind: 'askAwareness' }
    if (type === awareness) return { kind: 'awareness', update: readVarUint8Array(decoder) }
    const kind = type === sync ? syncKinds.get(readVarUint(decoder)) : undefined
    if (kind === undefined) return undefined
    const body = readVarUint8Array(decoder)
    return kind === 'ask' ? { kind, stateVector: body } : { kind, update: body }
  } catch {
    return undefined
  }
}

export const toAsk = (stateVector: Uint8Array): Uint8Array => join([sync, messageYjsSyncStep1], stateVector)
export const toAnswer = (update: Uint8Array): Uint8Array => join([sync, messageYjsSyncStep2], update)
export const toUpdate = (update: Uint8Array): Uint8Array => join([sync, messageYjsUpdate], update)
export const toAwareness = (update: Uint8Array): Uint8Array => join([awareness], update)

function join(types: readonly number[], body: Uint8Array): Uint8Array {
  const encoder = createEncoder()
  for (const type of types) writeVarUint(encoder, type)
  writeVarUint8Array(encoder, body)
  return toUint8Array(encoder)
}
