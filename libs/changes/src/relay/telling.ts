import type { Transaction } from '../change.ts'
import { isGoneOnFrom } from '../forerunner.ts'
import type { Log, ResetPlace } from '../log.ts'
import type { Observe } from '../observation.ts'
import type { Ask, LogMessage, Stretch } from './log-message.ts'
import { pieceBytesMax } from './pieces.ts'

/** Says something to all other processes, or to one. */
export type Send = (message: LogMessage, to?: string) => void

export type TellingDeps = {
  readonly log: Log
  readonly observe: Observe
  readonly hasOthers: () => boolean
  readonly send: Send
}

/** What the process that reads the log tells the others; between `begin` and `end`. */
export type Telling = {
  begin(): void
  end(): void
  transaction(transaction: Transaction, endLsn: bigint): void
  /** At any time: a slot that is lost is told by whoever notices. */
  reset(reason: string, at: ResetPlace | undefined): void
  /** How far the log is. */
  place(): void
  answer(question: Ask): void
}

export function createTelling({ log, observe, hasOthers, send }: TellingDeps): Telling {
  /** How far the others have been told, or could have been; undefined while another process reads. */
  let told: bigint | undefined

  const toStretch = (part: Pick<Stretch, 'from' | 'to'> & Partial<Stretch>): Stretch => ({
    is: 'stretch',
    server: log.server,
    forerunner: log.forerunner,
    publications: log.feed.publications,
    hasMore: false,
    transactions: [],
    ...part,
  })
  const isOfForerunner = (server: string, lsn: bigint): boolean =>
    log.forerunner !== undefined && isGoneOnFrom(log.forerunner, server, lsn)
  return {
    begin: () => {
      told = log.window.reachedLsn
    },
    end: () => {
      told = undefined
    },
    transaction: (transaction, endLsn) => {
      if (told === undefined) return
      const from = told
      told = endLsn
      if (!hasOthers()) return
      try {
        send(toStretch({ from, to: endLsn, transactions: [{ transaction, endLsn }] }))
      } catch (cause) {
        // Too long for one text. Who needs it asks, and is told to begin anew.
        observe({ kind: 'relay.failed', cause })
      }
    },
    reset: (reason, at) => {
      const from = told ?? at?.lsn ?? 0n
      if (told !== undefined) told = at?.lsn ?? 0n
      if (hasOthers()) send({ is: 'reset', server: log.server, from, to: at?.lsn, reason, relations: at?.relations })
    },
    place: () => {
      const to = log.window.reachedLsn
      if (hasOthers()) send(toStretch({ from: told ?? to, to }))
      told = to
    },
    answer: ({ node, server, since }) => {
      const { floor, reachedLsn } = log.window
      const from = since ?? floor.lsn
      const isOfThisLog = server === undefined || server === log.server || isOfForerunner(server, from)
      const kept = isOfThisLog ? log.window.after(from) : undefined
      if (kept === undefined) return send({ is: 'too_old' }, node)
      let bytes = 0
      const end = kept.findIndex(({ transaction }) => (bytes += transaction.bytes) > pieceBytesMax)
      const transactions = end < 0 ? kept : kept.slice(0, Math.max(1, end))
      const hasMore = transactions.length < kept.length
      const to = hasMore ? transactions.at(-1)!.endLsn : reachedLsn > from ? reachedLsn : from
      observe({ kind: 'relay.answered', transactions: transactions.length, hasMore })
      try {
        send(
          toStretch({ from, to, hasMore, transactions, floor: since === undefined ? floor.cursor : undefined }),
          node,
        )
      } catch (cause) {
        observe({ kind: 'relay.failed', cause })
        send({ is: 'too_old' }, node)
      }
    },
  }
}
