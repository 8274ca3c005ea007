import { keepEncodings } from '@pando/http/encodings'
import { LRUCache } from 'lru-cache'
import type { Sight } from './known-log.ts'
import type { Kept } from './page.ts'

export type Entry = Kept & {
  /** The count of the ledger at which it was last found to be right. */
  seen: number
  /** What was known of the log then; undefined when nothing was. */
  sight: Sight | undefined
  /** It is not right any more. */
  isOver: boolean
  /** What its body is in other codings. */
  encodedBytes: number
}

/** What this process keeps. */
export type LocalStore = {
  get(key: string): Entry | undefined
  set(key: string, entry: Entry): void
  clear(): void
  readonly size: { readonly answers: number; readonly bytes: number }
}

/** Keys, snapshots and the objects around them, of an entry with a short key. */
const entryBytes = 1_000

export function createLocalStore(bytesMax: number): LocalStore {
  const entries = new LRUCache<string, Entry>({
    maxSize: bytesMax,
    sizeCalculation: ({ page, encodedBytes }, key) => toBytes(page.body) + encodedBytes + key.length + entryBytes,
  })
  /** Counted anew, by a value that is another one. */
  const grow = (key: string, body: Buffer, bytes: number): void => {
    const entry = entries.peek(key)
    if (entry?.page.body === body) entries.set(key, { ...entry, encodedBytes: entry.encodedBytes + bytes })
  }
  return {
    get: (key) => entries.get(key),
    set: (key, entry) => {
      entries.set(key, entry)
      const { body } = entry.page
      if (body instanceof Buffer) keepEncodings(body, (bytes) => grow(key, body, bytes))
    },
    clear: () => entries.clear(),
    get size() {
      return { answers: entries.size, bytes: entries.calculatedSize }
    },
  }
}

export const toBytes = (body: Buffer | string | undefined): number =>
  body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
