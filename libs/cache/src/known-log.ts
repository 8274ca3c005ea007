import { createAccessWatch } from '@pando/catalogue/policies/access-watch'
import { readAccess } from '@pando/catalogue/policies/read-access'
import type { Listener } from '@pando/changes/log'
import type { ChangeReader, LogPlace } from '@pando/changes/reader'
import type { Clock } from '@pando/core/clock'
import type { Queries } from '@pando/postgres/database'
import type { Lsn } from '@pando/postgres/lsn'
import type { CacheValues } from './config.ts'
import { createPulse, type Mark } from './pulse.ts'

export type KnownLogDeps = {
  readonly options: Pick<CacheValues, 'accessInterval' | 'lagMax' | 'pulse'>
  readonly reader: Pick<ChangeReader, 'place' | 'subscribe'>
  readonly queries: Queries
  readonly clock: Clock
  readonly onTransaction: Listener['onTransaction']
  /** Transactions may have been missed: nothing that was known before is to be used. */
  readonly onRestart: (because: string) => void
  /** Somebody may see more or less than before. */
  readonly onAccessChanged: () => void
  /** Postgres did not say what it was asked. */
  readonly onUnknown: (cause: unknown) => void
  readonly onMark: (mark: Mark) => void
}

/** The log of changes as far as it is known here. */
export type Sight = LogPlace & {
  /** Of everything up to this moment of the monotonic clock it is known; undefined when that is too long ago. */
  readonly momentMs: number | undefined
}

export type KnownLog = {
  /** Undefined while nobody reads it. */
  look(): Sight | undefined
  /** From where on everything has been passed on; undefined when nothing has. */
  since(): Lsn | undefined
  start(): void
  stop(): Promise<void>
}

export function createKnownLog(deps: KnownLogDeps): KnownLog {
  const { options, reader, queries, clock, onUnknown } = deps
  let isStarted = false
  let first: LogPlace | undefined
  let unsubscribe = (): void => {}

  const restart = (because: string): void => {
    first = undefined
    deps.onRestart(because)
  }
  const access = createAccessWatch({
    readAccess: async () => {
      const publications = first?.feed.publications ?? []
      const [row] = await queries.query<{ access: string }>(readAccess, [publications])
      return `${publications.join()} ${row!.access}`
    },
    clock,
    intervalMs: options.accessInterval,
    onChanged: deps.onAccessChanged,
  })
  const pulse = createPulse({ queries, clock, intervalMs: options.pulse, onMark: deps.onMark, onSilent: onUnknown })
  const momentOf = (place: LogPlace): number | undefined => {
    const confirming = access.confirm()
    const momentMs = pulse.knownSinceMs(place)
    if (confirming === undefined) return clock.monotonic() - momentMs <= options.lagMax ? momentMs : undefined
    confirming.catch(onUnknown)
    return undefined
  }
  return {
    look: () => {
      const place = reader.place()
      if (place === undefined) return undefined
      const { server, feed, lsn } = place
      if (first !== undefined && (first.feed !== feed || first.server !== server)) restart('another log is read')
      first ??= place
      // Not before it is known what is read: who may see that is asked for, and a change of it lets everything go.
      if (isStarted) access.begin()
      return { server, feed, lsn, momentMs: momentOf(place) }
    },
    since: () => first?.lsn,
    start: () => {
      isStarted = true
      unsubscribe = reader.subscribe({ onTransaction: deps.onTransaction, onReset: restart })
      pulse.start()
    },
    stop: async () => {
      isStarted = false
      unsubscribe()
      access.end()
      await pulse.stop()
    },
  }
}
