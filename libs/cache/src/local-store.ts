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
    sizeCalculation: ({ page }, key) => toBytes(page.body) + key.length + entryBytes,
  })
  return {
    get: (key) => entries.get(key),
    set: (key, entry) => void entries.set(key, entry),
    clear: () => entries.clear(),
    get size() {
      return { answers: entries.size, bytes: entries.calculatedSize }
    },
  }
}

export const toBytes = (body: Buffer | string | undefined): number =>
  body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
