import type { Clock } from '@pando/core/clock'
import type { Analyses } from './analyses.ts'
import type { Keepable } from './cached-read.ts'
import { createFlights } from './flights.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { KnownLog } from './known-log.ts'
import { type Ledger, schemaTable } from './ledger.ts'
import { type Kept, type Page, toTag } from './page.ts'
import { type ReadNow, toWitness } from './witness.ts'

export type FreshReadsDeps = {
  readonly answers: KeptAnswers
  readonly analyses: Analyses
  readonly ledger: Ledger
  readonly log: KnownLog
  readonly clock: Pick<Clock, 'now'>
  /** What was known of policies is not right any more. */
  readonly onOutdated: (because: string) => void
}

export type Found = {
  readonly page: Page
  /** When it is kept from now on. */
  readonly kept: Kept | undefined
  /** Another process had kept it. */
  readonly isShared: boolean
  /** It is the answer of everybody who asks with the same key. */
  readonly isForAll: boolean
  /** Another request has read it. */
  readonly isJoined?: boolean
}

/** Reads of what is not kept, which may be kept afterwards. */
export type FreshReads = {
  /** Fulfils when the read ends that somebody has begun with this key. */
  underWay(key: string): Promise<void>
  read(asked: Keepable, readNow: ReadNow): Promise<Found>
  /** The same, for all who ask at once: a read that was begun after this request came is as good as its own. */
  readOnce(asked: Keepable, readNow: ReadNow): Promise<Found>
}

export function createFreshReads({ answers, analyses, ledger, log, clock, onOutdated }: FreshReadsDeps): FreshReads {
  const flights = createFlights<Found>()

  const nameOf = ({ analysis, key }: Keepable, server: string): string => `${server}\0${analysis.stamp}\0${key}`
  const fetch = async (asked: Keepable): Promise<Found | undefined> => {
    const sight = log.look()
    const kept = sight && (await answers.fetch(nameOf(asked, sight.server), log.since))
    if (kept === undefined || asked.generation !== analyses.generation) return undefined
    const isKept = answers.keep(asked.key, kept, log.look())
    return { page: kept.page, kept: isKept ? kept : undefined, isShared: true, isForAll: true }
  }
  const read = async (asked: Keepable, readNow: ReadNow): Promise<Found> => {
    const { analysis, generation, key, caller } = asked
    const { witness, seen } = toWitness(analysis, caller.role)
    const page = await readNow(witness)
    const { snapshot, stamp } = seen()
    const alone: Found = { page, kept: undefined, isShared: false, isForAll: false }
    if (snapshot === undefined || generation !== analyses.generation) return alone
    const { schema, tables } = analysis
    // The log tells of a change of the schema a moment before it can be seen: it was looked up too early.
    if (stamp !== analysis.stamp || !ledger.isSeen(schema, [schemaTable])) {
      onOutdated('policies or tables are others')
      return alone
    }
    // Of who was writing when that was looked up, the log may not tell.
    if (snapshot.xmin < schema.xmax) return { ...alone, isForAll: true }
    const kept: Kept = { page, tag: toTag(page), snapshot, schema, tables, madeAtMs: clock.now() }
    const sight = log.look()
    const isKept = answers.keep(key, kept, sight)
    if (isKept && sight !== undefined) answers.share(nameOf(asked, sight.server), kept, sight.lsn)
    return { page, kept: isKept ? kept : undefined, isShared: false, isForAll: true }
  }
  return {
    underWay: async (key) => {
      await flights.underWay(key)?.catch(() => undefined)
    },
    read,
    readOnce: async (asked, readNow) => {
      let isOwn = false
      const begin = async (): Promise<Found> => {
        isOwn = true
        return (await fetch(asked)) ?? (await read(asked, readNow))
      }
      const found = await flights.join(asked.key, begin).catch((error: unknown) => {
        if (isOwn) throw error
      })
      return found !== undefined && (isOwn || found.isForAll) ? { ...found, isJoined: !isOwn } : read(asked, readNow)
    },
  }
}
