import type { Clock } from '@pando/core/clock'
import { laterLsn, type Lsn } from '../lsn.ts'
import { createCommitLog, type CommitLog } from './commit-log.ts'
import type { ObserveServers } from './observation.ts'
import { watchServer, type ServerWatch, type Sighting } from './server-watch.ts'

/** A server as it can be asked: its name in logs and the address by which it is watched. */
export type ServerAddress = { readonly name: string; readonly url: string }

export type ServersOptions = {
  /** Those of which one is the primary; the first is taken for it until more is known. */
  readonly candidates: readonly ServerAddress[]
  /** Those that answer reads while they are in recovery; may be candidates too. */
  readonly replicas: readonly ServerAddress[]
  readonly clock: Clock
  readonly limits: ServersLimits
  /** Whether the addresses lead to Postgres itself, where statements can be prepared. */
  readonly prepares: boolean
  readonly observe: ObserveServers
}

export type ServersLimits = {
  /** Every server is asked this often where it is. */
  readonly intervalMs: number
  /** A server that needs longer to answer that is left alone until it answers again. */
  readonly answerMsMax: number
  /** A replica whose state is older answers nobody. */
  readonly lagMsMax: number
  /** Callers whose last write is known one by one. */
  readonly writersMax: number
}

export const defaultServersLimits: ServersLimits = {
  intervalMs: 250,
  answerMsMax: 1_000,
  lagMsMax: 10_000,
  writersMax: 100_000,
}

/**
 * The servers of one database, watched: which one takes writes now, and how far the others have come.
 *
 * The primary is the candidate that is not in recovery; of several (one came back after another was promoted) that with
 * the higher timeline. While there is none, the last one stays in place: who connects to it is refused.
 */
export type Servers = {
  readonly commits: CommitLog
  /** Index in `candidates` of the primary. */
  primary(): number
  /**
   * How far the replica of this index in `replicas` has come; undefined when it must not be asked: it is silent, no
   * standby, or of another database than the primary.
   */
  replayed(replica: number): Lsn | undefined
  /** Calls back each time that another server is the primary, or the same after a promotion. */
  onPrimaryChanged(listener: () => void): void
  /** Fulfils when each server has been asked once. */
  start(): Promise<void>
  stop(): Promise<void>
}

export function watchServers(options: ServersOptions): Servers {
  const { candidates, replicas, clock, limits, observe } = options
  const commits = createCommitLog({ clock, ...limits })
  const listeners: (() => void)[] = []
  const watches = new Map<string, ServerWatch>()
  let primary = 0
  /** Of the primary, once one was seen. */
  let known: { readonly system: string; readonly timeline: number } | undefined
  /** The latest place that any server has shown. */
  let highest: Lsn = 0n

  const watchOf = ({ url }: ServerAddress): ServerWatch => watches.get(url)!
  const hasPrimary = (): boolean => watchOf(candidates[primary]!).seen()?.standby === false

  /** Whether this is the primary: one that was promoted later, or the one known, or the only one there is. */
  const leads = (index: number, next: number): boolean => {
    if (known === undefined || next > known.timeline) return true
    return next === known.timeline && (index === primary || !hasPrimary())
  }
  const follow = (index: number, { lsn, system, timeline = 0 }: Sighting): void => {
    const before = known
    if (before?.timeline === timeline && index === primary) return
    known = { system, timeline }
    primary = index
    // Whoever has come further than anybody had before has come there on the new timeline. At the start the same keeps
    // those away who have not replayed what was written through an earlier process.
    commits.restart(laterLsn(highest, lsn) + (before === undefined ? 0n : 1n))
    if (before !== undefined) observe({ kind: 'primary.changed', server: candidates[index]!.name, timeline })
    for (const listener of listeners) listener()
  }
  const take = (address: ServerAddress, sighting: Sighting): void => {
    const { standby, system, lsn, timeline = 0, askedAtMs } = sighting
    if (known !== undefined && system !== known.system) return
    const index = candidates.findIndex(({ url }) => url === address.url)
    if (index !== -1 && !standby && leads(index, timeline)) {
      follow(index, sighting)
      commits.reached(lsn, askedAtMs)
    }
    highest = laterLsn(highest, lsn)
  }

  for (const address of [...candidates, ...replicas]) {
    if (watches.has(address.url)) continue
    watches.set(
      address.url,
      watchServer({ ...options, ...limits, ...address, onSighting: (sighting) => take(address, sighting) }),
    )
  }
  return {
    commits,
    primary: () => primary,
    replayed(replica) {
      const seen = watchOf(replicas[replica]!).seen()
      return seen?.standby === true && seen.system === known?.system ? seen.lsn : undefined
    },
    onPrimaryChanged: (listener) => void listeners.push(listener),
    start: async () => {
      await Promise.all(Array.from(watches.values(), (watch) => watch.start()))
    },
    stop: async () => {
      await Promise.all(Array.from(watches.values(), (watch) => watch.stop()))
    },
  }
}
