import type { Clock } from '@pando/core/clock'
import { toOwn } from '@pando/http/encodings'
import type { Lsn } from '@pando/postgres/lsn'
import type { CacheValues } from './config.ts'
import type { Sight } from './known-log.ts'
import { type Ledger, schemaTable } from './ledger.ts'
import { createLocalStore, type Entry, type LocalStore, toBytes } from './local-store.ts'
import type { Observe } from './observation.ts'
import type { Kept, Page } from './page.ts'
import type { SharedStore } from './shared-store.ts'

export type KeptAnswersDeps = {
  readonly options: Pick<CacheValues, 'ageMax' | 'answerBytesMax' | 'memoryBytesMax'>
  readonly ledger: Ledger
  readonly shared: SharedStore | undefined
  readonly clock: Clock
  readonly observe: Observe
}

/** What is kept in this process and in Redis. `sight` is what is known of the log now. */
export type KeptAnswers = {
  /** Given out only while it is right. */
  find(key: string, sight: Sight): Kept | 'stale' | undefined
  /** Whatever is there, with the last sight of the log at which it was right. */
  peek(key: string): Readonly<Entry> | undefined
  /** Whether it is kept from now on: not what is too large, nor what the log has overtaken. */
  keep(key: string, kept: Kept, sight: Sight | undefined): boolean
  /** For other processes. `lsn` is how far the log was known when it was kept here. */
  share(name: string, kept: Kept, lsn: Lsn): void
  /** What another process has kept under this name, if all is known here that it did not know. */
  fetch(name: string, since: () => Lsn | undefined): Promise<Kept | undefined>
  clear(): void
  readonly size: LocalStore['size']
}

export function createKeptAnswers({ options, ledger, shared, clock, observe }: KeptAnswersDeps): KeptAnswers {
  const local = createLocalStore(options.memoryBytesMax)
  /** What the log told of its tables and of the schema was visible where it was made. */
  const isRight = ({ snapshot, tables, schema, madeAtMs }: Kept, seen?: number): boolean =>
    ledger.isSeen(snapshot, tables, seen) &&
    ledger.isSeen(schema, [schemaTable], seen) &&
    clock.now() - madeAtMs < options.ageMax
  return {
    find: (key, sight) => {
      const entry = local.get(key)
      if (entry === undefined) return undefined
      if (entry.isOver) return 'stale'
      if (isRight(entry, entry.seen)) {
        entry.seen = ledger.count
        entry.sight = sight
        return entry
      }
      entry.isOver = true
      observe({ kind: 'invalidated' })
      return 'stale'
    },
    peek: local.get,
    keep: (key, kept, sight) => {
      if (toBytes(kept.page.body) > options.answerBytesMax || !isRight(kept)) return false
      local.set(key, { ...kept, page: toOwnPage(kept.page), seen: ledger.count, sight, isOver: false, encodedBytes: 0 })
      return true
    },
    share: (name, kept, lsn) => shared?.set(name, { ...kept, lsn }),
    fetch: async (name, since) => {
      const found = await shared?.get(name)
      const from = since()
      return found !== undefined && from !== undefined && found.lsn >= from && isRight(found) ? found : undefined
    },
    clear: local.clear,
    get size() {
      return local.size
    },
  }
}

/** From here on a body is kept as bytes, by which it is known again when it is compressed; as text it is sent no faster. */
const textBytesMax = 2 * 1024

/** Bytes that came from a socket may hold on to many more. */
function toOwnPage(page: Page): Page {
  const { body } = page
  if (body === undefined || (typeof body === 'string' && body.length < textBytesMax)) return page
  return { ...page, body: toOwn(typeof body === 'string' ? Buffer.from(body) : body) }
}
