import { systemClock, type Clock } from '@pando/core/clock'
import { remainingMs, type Deadline } from '@pando/core/deadline'
import type { ClientConfig } from 'pg'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { Exchange, HangUp, RunExchange } from '../exchange.ts'
import type { ServerUrl } from '../server-url.ts'
import { createConnectionBudget } from './connection-budget.ts'
import { toExchangeEnvelope, type Settings } from './envelope.ts'
import { createFlight, toGivenUp, type Flight, type FlightPlan } from './flight.ts'
import { createFlightWatch } from './flight-watch.ts'
import { createFlushQueue } from './flush-queue.ts'
import type { LaneStats } from './lane.ts'
import { createLanes } from './lanes.ts'
import { defaultPipelineLimits, type PipelineLimits } from './limits.ts'
import type { Observe } from './observation.ts'
import { parseDatabaseUrl } from './open-session.ts'
import { createSpeedLedger } from './speed-ledger.ts'
import { runTransaction, type RunTransaction } from './transaction.ts'

export type PipelinedPoolsOptions = {
  /** DATABASE_URL in any form that `pg` understands; may be another one at each new connection. */
  readonly url: ServerUrl
  /** Whether servers in recovery are refused for reads too, as they always are for writes. */
  readonly primaryOnly?: boolean
  readonly applicationName: string
  /**
   * `pipelined` keeps sessions per role and is the fast way. `transactional` needs nothing of a session and works
   * behind pgbouncer in transaction mode: each exchange is an explicit transaction of its own.
   */
  readonly mode?: 'pipelined' | 'transactional'
  /**
   * Whether tables are spread over servers by Citus; asked for each exchange. Then each is an explicit transaction too,
   * and its settings are set in the way that Citus passes on to the others.
   */
  readonly distributes?: () => boolean
  /** Whether statements are prepared once a connection, instead of each time; asked for each exchange. */
  readonly prepares?: () => boolean
  readonly clock?: Clock
  /** Spreads the pauses between connection attempts; 0 ≤ x < 1. */
  readonly random?: () => number
  readonly limits?: Partial<PipelineLimits>
  /** `alter role … set …` of a role, which `set role` does not apply; asked whenever a session is opened. */
  readonly roleSettings?: (role: string) => Settings
  readonly onObservation?: Observe
}

export type PipelinedPools = {
  readonly run: RunExchange
  readonly transaction: RunTransaction
  stats(): PipelineStats
  /** Replaces every session by a new one after its last answer: role settings or the schema changed. */
  retire(): void
  /** Refuses what is new and what waits, lets what runs finish (at most `closeMs`), closes. */
  close(): Promise<void>
}

export type PipelineStats = {
  readonly connections: number
  /** Exchanges and transactions that have not been answered. */
  readonly pending: number
  readonly statementsKnown: number
  readonly lanes: readonly LaneStats[]
}

/** The way to Postgres for requests: pools of pipelined connections per role. Nothing is opened before it is needed. */
export function createPipelinedPools(options: PipelinedPoolsOptions): PipelinedPools {
  const {
    clock = systemClock,
    mode = 'pipelined',
    distributes = () => false,
    prepares = () => true,
    roleSettings = () => [],
    onObservation: observe = () => {},
  } = options
  const rules = { mode, distributes, prepares, roleSettings }
  const limits = { ...defaultPipelineLimits, ...options.limits }
  const watch = createFlightWatch(limits.abortPollMs)
  const budget = createConnectionBudget(limits.connectionsMax)
  const ledger = createSpeedLedger(limits, observe)
  const board = (flight: Flight) => {
    const { role, access, statements } = flight.plan
    lanes.route(role, access, statements).submit(flight)
  }
  const config = toConfig(options.url)
  const lanes = createLanes({
    ...rules,
    clock,
    limits,
    watch,
    budget,
    ledger,
    observe,
    reroute: board,
    random: options.random ?? Math.random,
    target: () => ({
      config: config(),
      applicationName: options.applicationName,
      connectMs: limits.connectMs,
      primaryOnly: options.primaryOnly,
    }),
    flushes: createFlushQueue(),
  })
  let closed = false
  const sweep = setInterval(() => sweepIdle(), Math.max(10, limits.connectionIdleMs / 2)).unref()
  const sweepIdle = () => {
    for (const lane of lanes.all) {
      lane.closeIdle(clock.monotonic() - limits.connectionIdleMs)
      if (lane.held === 0 && lane.stats().waiting === 0) lanes.forget(lane)
    }
  }
  const refusal = (role: string, deadline: Deadline, signal: HangUp | undefined): Error | undefined => {
    if (closed) return new PostgresUnavailable('connection', 'The connections to Postgres are closed', { sent: false })
    if (role === '' || role === 'none') return toNoSuchRole(role)
    if (signal?.aborted) return toGivenUp('aborted', false)
    return remainingMs(deadline) === 0 ? toGivenUp('deadline', false) : undefined
  }
  const run: RunExchange = (exchange) => {
    const refused = refusal(exchange.role, exchange.deadline, exchange.signal)
    if (refused !== undefined) return Promise.reject(refused)
    return createFlight(toPlan(exchange), watch, board)
  }
  const toPlan = (exchange: Exchange): FlightPlan => ({
    role: exchange.role,
    access: exchange.access,
    envelope: toExchangeEnvelope(rules, exchange),
    statements: exchange.statements,
    deadline: exchange.deadline,
    signal: exchange.signal,
    onCommit: exchange.onCommit,
  })

  return {
    run,
    transaction(request, fn) {
      const refused = refusal(request.role, request.deadline, request.signal)
      if (refused !== undefined) return Promise.reject(refused)
      const lane = lanes.borrowable(request.role)
      return runTransaction({ ...rules, watch, lane }, request, fn)
    },
    stats: () => ({
      connections: budget.taken,
      pending: watch.size,
      statementsKnown: ledger.size,
      lanes: Array.from(lanes.all, (lane) => lane.stats()),
    }),
    retire() {
      for (const lane of lanes.all) lane.retire()
    },
    async close() {
      closed = true
      clearInterval(sweep)
      for (const lane of lanes.all) {
        lane.refuseWaiting(new PostgresUnavailable('connection', 'The connections to Postgres close', { sent: false }))
        lane.retire()
      }
      const giveUpAtMs = clock.monotonic() + limits.closeMs
      while (budget.taken > 0 && clock.monotonic() < giveUpAtMs) await pause(5)
      for (const lane of lanes.all) lane.destroyAll()
      while (budget.taken > 0) await pause(5)
    },
  }
}

/** An address that never changes is read once, at the start, where a mistake shows. */
function toConfig(url: ServerUrl): () => ClientConfig {
  if (typeof url === 'function') return () => parseDatabaseUrl(url())
  const config = parseDatabaseUrl(url)
  return () => config
}

/** `none` would mean the login role, and an empty name nothing at all: neither may reach `set_config('role', …)`. */
function toNoSuchRole(role: string): PostgresError {
  return new PostgresError({ severity: 'ERROR', code: '22023', message: `role "${role}" does not exist` })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
