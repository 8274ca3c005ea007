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

/** The log of changes as far as it is known here, and from which moment that is. */
export type KnownLog = {
  /** Undefined while nobody reads it. */
  place(): LogPlace | undefined
  /** From where on everything up to `place` has been passed on; undefined when nothing has. */
  since(): Lsn | undefined
  /** So long ago is the moment of which everything is known, in milliseconds; undefined when that is too long. */
  ageMs(): number | undefined
  start(): void
  stop(): Promise<void>
}

type Followed = Pick<LogPlace, 'server' | 'feed'> & { readonly since: Lsn }

export function createKnownLog(deps: KnownLogDeps): KnownLog {
  const { options, reader, queries, clock, onUnknown } = deps
  let followed: Followed | undefined
  let unsubscribe = (): void => {}

  const restart = (because: string): void => {
    followed = undefined
    deps.onRestart(because)
  }
  const place = (): LogPlace | undefined => {
    const found = reader.place()
    if (found === undefined) return undefined
    const { server, feed, lsn } = found
    if (followed !== undefined && (followed.feed !== feed || followed.server !== server)) restart('another log is read')
    followed ??= { server, feed, since: lsn }
    return found
  }
  const access = createAccessWatch({
    readAccess: async () => {
      const publications = followed?.feed.publications ?? []
      const [row] = await queries.query<{ access: string }>(readAccess, [publications])
      return `${publications.join()} ${row!.access}`
    },
    clock,
    intervalMs: options.accessInterval,
    onChanged: deps.onAccessChanged,
  })
  const pulse = createPulse({ queries, clock, intervalMs: options.pulse, onMark: deps.onMark, onSilent: onUnknown })
  return {
    place,
    since: () => followed?.since,
    ageMs: () => {
      const known = place()
      if (known === undefined) return undefined
      const confirming = access.confirm()
      if (confirming !== undefined) {
        confirming.catch(onUnknown)
        return undefined
      }
      const ageMs = clock.monotonic() - pulse.knownSinceMs(known)
      return ageMs <= options.lagMax ? ageMs : undefined
    },
    start: () => {
      unsubscribe = reader.subscribe({ onTransaction: deps.onTransaction, onReset: restart })
      access.begin()
      pulse.start()
    },
    stop: async () => {
      unsubscribe()
      access.end()
      await pulse.stop()
    },
  }
}
