import type { Clock } from '@pando/core/clock'
import { remainingMs } from '@pando/core/deadline'
import type { Statement } from '../exchange.ts'
import { createBackoff } from './backoff.ts'
import { allBusy, leastLoaded, longestIdle } from './choose-connection.ts'
import type { Bidder, ConnectionBudget } from './connection-budget.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import type { Settings } from './envelope.ts'
import { toRollback, type Flight } from './flight.ts'
import type { FlightWatch } from './flight-watch.ts'
import type { FlushQueue } from './flush-queue.ts'
import { isTooManyConnections, settleLanded, type LandingDeps } from './landing.ts'
import type { PipelineLimits } from './limits.ts'
import type { CloseReason, LaneKind, Observe } from './observation.ts'
import { openSession, type SessionTarget } from './open-session.ts'
import { createWaitQueue } from './wait-queue.ts'

/** What the connections of a lane are for and how they are used. */
export type LaneProfile = {
  readonly role: string
  readonly kind: LaneKind
  readonly connectionsMax: number
  /**
   * Flights in flight on one connection that share it, and the number of them at which a further connection is opened.
   */
  readonly depthMax: number
  readonly depthGrow: number
  /** Settings of a new session. */
  readonly sessionSettings: () => Settings
}

export type LaneDeps = LandingDeps & {
  readonly clock: Clock
  readonly random: () => number
  readonly limits: PipelineLimits
  /** Asked at each new session, as the server may move. */
  readonly target: () => SessionTarget
  readonly watch: FlightWatch
  readonly budget: ConnectionBudget
  readonly flushes: FlushQueue
  readonly observe: Observe
}

/** The connections of one role for one kind of work, and the flights that wait for them. */
export type Lane = Bidder & {
  submit(flight: Flight): void
  /** Whether a flight would be sent at once. */
  hasRoom(): boolean
  /** Closes what has been unused since before `beforeMs`. */
  closeIdle(beforeMs: number): void
  /** Replaces all connections by new ones, each after its last answer. */
  retire(): void
  /** Fails what waits. */
  refuseWaiting(error: Error): void
  /** Breaks what is still in use. */
  destroyAll(): void
  stats(): LaneStats
}

export type LaneStats = {
  readonly role: string
  readonly kind: LaneKind
  readonly connections: number
  readonly opening: number
  readonly inFlight: number
  readonly waiting: number
}

export function createLane(deps: LaneDeps, profile: LaneProfile): Lane {
  const { clock, limits, budget, observe } = deps
  const { role, kind, depthMax } = profile
  const connections: Connection[] = []
  const queue = createWaitQueue({ clock, queueMax: limits.queueMax, queueWaitMs: limits.queueWaitMs })
  const backoff = createBackoff(limits, deps.random)
  let opening = 0
  let generation = 0

  const board = (connection: Connection, flight: Flight, shares: boolean) => {
    flight.shares = shares
    if (flight.borrow === null) return connection.send(flight)
    connection.leased = true
    flight.succeed()
    flight.borrow(connection)
  }
  const sharesHere = (flight: Flight) => depthMax > 1 && (kind === 'shared' || mayShare(deps, flight))
  const roomFor = (shares: boolean) => leastLoaded(connections, shares ? depthMax : 1)
  const dispatch = () => {
    for (let flight = queue.first; flight !== undefined; flight = queue.first) {
      const shares = sharesHere(flight)
      const connection = roomFor(shares)
      if (connection === undefined) break
      queue.remove(flight)
      if (remainingMs(flight.deadline) === 0) flight.expire('deadline')
      else board(connection, flight, shares)
    }
    grow()
  }
  const wanted = () => {
    if (queue.size > 0 || depthMax === 1) return Math.min(queue.size, limits.openingMax)
    return allBusy(connections, profile.depthGrow) ? 1 : 0
  }
  const grow = () => {
    while (connections.length + opening < profile.connectionsMax && opening < wanted()) {
      const refusal = backoff.refusal(clock.monotonic())
      if (refusal !== undefined) {
        // Nobody serves those who wait, and nobody will soon.
        if (connections.length + opening === 0) queue.failAll(refusal)
        return
      }
      if (!budget.take(lane)) return
      void open(generation)
    }
  }
  const open = async (openedIn: number) => {
    const startedAtMs = clock.monotonic()
    opening++
    const target = { ...deps.target(), ...(kind === 'write' && { primaryOnly: true }) }
    const session = await openSession(target, profile.sessionSettings()).catch((error: Error) => error)
    opening--
    if (session instanceof Error) return refused(session)
    backoff.succeeded()
    const connection = new Connection({ ...session, clock, limits, flushes: deps.flushes }, owner)
    connections.push(connection)
    observe({ kind: 'connection.opened', role, lane: kind, tookMs: clock.monotonic() - startedAtMs })
    if (openedIn !== generation) connection.drain('retired')
    dispatch()
  }
  const refused = (error: Error) => {
    observe({ kind: 'connection.refused', role, lane: kind, cause: error })
    backoff.failed(clock.monotonic(), error)
    budget.give(lane)
    if (connections.length + opening > 0) return
    // Another lane may hold one that it does not use; the next attempt finds it free.
    if (isTooManyConnections(error)) budget.closeLongestIdle()
    queue.failAll(error)
  }

  const owner: ConnectionOwner = {
    landed(connection, flight, tookMs, status) {
      settleLanded(deps, kind, flight, tookMs)
      if (status === 'E' && !connection.leased && !connection.draining) connection.send(toRollback(flight, deps.watch))
      owner.freed(connection)
    },
    freed(connection) {
      if (!connection.leased && !connection.draining && budget.mustYield(lane)) connection.drain('idle')
      if (queue.size > 0) dispatch()
    },
    cancelling: () => observe({ kind: 'cancel.sent', role, lane: kind }),
    gone(connection, why: CloseReason, unsent) {
      connections.splice(connections.indexOf(connection), 1)
      observe({ kind: 'connection.closed', role, lane: kind, why })
      budget.give(lane)
      for (const flight of unsent) {
        flight.rewind()
        if (!flight.settled) lane.submit(flight)
      }
      dispatch()
    },
  }

  const lane: Lane = {
    role,
    submit(flight) {
      const mayBoard = queue.size === 0
      const shares = mayBoard && sharesHere(flight)
      const connection = mayBoard ? roomFor(shares) : undefined
      if (connection === undefined) queue.push(flight)
      else board(connection, flight, shares)
      grow()
    },
    hasRoom: () => queue.size === 0 && leastLoaded(connections, depthMax) !== undefined,
    closeIdle(beforeMs) {
      for (const connection of connections) {
        if (connection.idle && connection.idleSinceMs <= beforeMs) connection.drain('idle')
      }
    },
    retire() {
      generation++
      // It may be another server now, which has not failed yet.
      backoff.succeeded()
      for (const connection of connections) connection.drain('retired')
    },
    refuseWaiting: (error) => queue.failAll(error),
    destroyAll() {
      for (const connection of connections) connection.destroy('retired')
    },
    stats: () => ({
      role,
      kind,
      connections: connections.length,
      opening,
      inFlight: connections.reduce((sum, connection) => sum + connection.load, 0),
      waiting: queue.size,
    }),
    get held() {
      return connections.length + opening
    },
    get wants() {
      return connections.length + opening < profile.connectionsMax && opening < wanted()
    },
    grow,
    get idleSinceMs() {
      return longestIdle(connections)?.idleSinceMs
    },
    closeLongestIdle: () => longestIdle(connections)?.drain('idle'),
  }
  return lane
}

/** A write that has proved fast and brings little. Who borrows a connection wants all of it. */
function mayShare({ ledger, limits }: LaneDeps, { borrow, plan }: Flight): boolean {
  return borrow === null && ledger.isFast(plan.statements) && bytesOf(plan.statements) <= limits.sharedBytesMax
}

/** Roughly: texts are counted in characters. */
function bytesOf(statements: readonly Statement[]): number {
  let bytes = 0
  for (const { params } of statements)
    for (const param of params) {
      if (typeof param === 'string') bytes += param.length
      else if (param !== null) for (const chunk of param) bytes += chunk.length
    }
  return bytes
}
