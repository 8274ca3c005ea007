import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { Consistency, Exchange, OnCommit, RunExchange, Statement, StatementResult } from '../exchange.ts'
import { laterLsn, parseLsn, printLsn, type Lsn } from '../lsn.ts'
import type { PipelinedPools } from '../pipeline/pools.ts'
import type { RunTransaction } from '../pipeline/transaction.ts'
import type { CommitLog } from './commit-log.ts'
import type { ObserveServers } from './observation.ts'

/** A replica as reads see it. */
export type Replica = {
  readonly run: RunExchange
  /** How far it has come; undefined when it must not be asked. */
  readonly replayed: () => Lsn | undefined
}

export type RoutedPoolsDeps = {
  readonly primary: Pick<PipelinedPools, 'run' | 'transaction'>
  readonly replicas: readonly Replica[]
  readonly commits: CommitLog
  readonly observe: ObserveServers
  /** Told of each write, to be passed on to other processes. */
  readonly onCommit?: (caller: string, lsn: Lsn) => void
}

/**
 * Sends the reads of callers who say who they are to the replica with the fewest reads under way, of those that were seen
 * to have replayed what the caller needs. The read asks it once more, in the same trip: an address may lead elsewhere than
 * a moment ago. Everything else, and what a replica could not answer, goes to the primary.
 */
export function createRoutedPools(deps: RoutedPoolsDeps): Pick<PipelinedPools, 'run' | 'transaction'> {
  const { primary, commits, observe } = deps
  const replicas = deps.replicas.map((replica) => ({ ...replica, underWay: 0 }))
  type Chosen = (typeof replicas)[number]
  let turn = 0

  const choose = (needed: Lsn): Chosen | undefined => {
    let chosen: Chosen | undefined
    // Of equals another one each time.
    turn++
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[(turn + i) % replicas.length]!
      if (chosen !== undefined && replica.underWay >= chosen.underWay) continue
      const replayed = replica.replayed()
      if (replayed !== undefined && replayed >= needed) chosen = replica
    }
    return chosen
  }
  const read = async (exchange: Exchange, consistency: Consistency): Promise<readonly StatementResult[]> => {
    const needed = laterLsn(commits.neededBy(consistency.caller), consistency.atLeast ?? 0n)
    const replica = choose(needed)
    if (replica !== undefined) {
      const results = await readAt(replica, exchange, needed)
      if (results !== undefined) {
        observe(answeredByReplica)
        return results
      }
    }
    observe(answeredByPrimary)
    return primary.run(exchange)
  }
  const readAt = async (replica: Chosen, exchange: Exchange, needed: Lsn) => {
    replica.underWay++
    try {
      const [guard, ...results] = await replica.run({
        ...exchange,
        statements: [toGuard(needed), ...exchange.statements],
      })
      if (guard!.rows[0]![0]?.toString() === 't') return results
      observe({ kind: 'read.repeated', why: 'behind' })
    } catch (error) {
      if (!mayAnswerElsewhere(error)) throw error
      observe({ kind: 'read.repeated', why: 'failed', cause: error })
    } finally {
      replica.underWay--
    }
  }
  /** Follows a write: its place is remembered for the caller and told to them. */
  const following = async <T>(consistency: Consistency, write: (onCommit: OnCommit) => Promise<T>): Promise<T> => {
    const { caller } = consistency
    try {
      return await write((place) => {
        const lsn = parseLsn(place ?? '')
        if (lsn === undefined) return commits.doubt(caller)
        consistency.committed = lsn
        commits.note(caller, lsn)
        deps.onCommit?.(caller, lsn)
      })
    } catch (error) {
      if (error instanceof PostgresUnavailable && error.sent) commits.doubt(caller)
      throw error
    }
  }

  const run: RunExchange = (exchange) => {
    const { consistency } = exchange
    if (consistency === undefined) return primary.run(exchange)
    if (exchange.access === 'read') return read(exchange, consistency)
    return following(consistency, (onCommit) => primary.run({ ...exchange, onCommit }))
  }
  const transaction: RunTransaction = (request, fn) => {
    const { consistency } = request
    if (consistency === undefined || request.access === 'read') return primary.transaction(request, fn)
    return following(consistency, (onCommit) => primary.transaction({ ...request, onCommit }, fn))
  }
  return { run, transaction }
}

const answeredByReplica = { kind: 'read.answered', by: 'replica' } as const
const answeredByPrimary = { kind: 'read.answered', by: 'primary' } as const

/** True where at least so much of the log has been replayed; null, and so not true, where no log ever was. */
function toGuard(needed: Lsn): Statement {
  return { text: 'select pg_catalog.pg_last_wal_replay_lsn() >= $1::pg_catalog.pg_lsn', params: [printLsn(needed)] }
}

const queryCanceled = '57014'

/**
 * Classes of errors that a replica gives and the primary may not: connection, feature not supported, transaction state,
 * conflict with what is replayed, an older schema or older grants, resources, object state, shutdown, system, internal.
 */
const replicaErrors = /^(08|0A|25|40|42|53|55|57|58|XX)/

/** A read changes nothing, so it may be asked twice; not when its time is over. */
function mayAnswerElsewhere(error: unknown): boolean {
  if (error instanceof PostgresUnavailable) return error.reason === 'connection' || error.reason === 'pool'
  if (!(error instanceof PostgresError)) return false
  const { code } = error.fields
  return code !== queryCanceled && replicaErrors.test(code)
}
