import type { Deadline } from '@pando/core/deadline'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { HangUp, OnCommit, Statement, StatementResult } from '../exchange.ts'
import type { Connection } from './connection.ts'
import { toClosingEnvelope, type Envelope } from './envelope.ts'
import type { ErrorReply } from './error-reply.ts'
import type { PreparedStatement } from './prepared-statements.ts'
import type { FlightWatch, Watched } from './flight-watch.ts'
import { mustFit } from './protocol-limits.ts'
import { toRow } from './reply-reader.ts'
import { Result, type Rows } from './result.ts'

/** What a flight carries from its caller to Postgres; the parts of an `Exchange` that matter on the way. */
export type FlightPlan = {
  readonly role: string
  readonly access: 'read' | 'write'
  readonly envelope: Envelope
  /** The caller's own statements: what the speed ledger learns about. */
  readonly statements: readonly Statement[]
  readonly deadline: Deadline
  readonly signal: HangUp | undefined
  /** Set when the place of the commit is asked for. */
  readonly onCommit?: OnCommit
}

/**
 * One exchange on its way: waiting in a lane, in flight on a connection, then settled exactly once. A flight that is
 * settled early (deadline, hang-up) stays in its connection's queue until Postgres has answered it, its rows dropped.
 */
export class Flight implements Watched {
  readonly plan: FlightPlan
  readonly #watch: FlightWatch
  readonly #resolve: (results: readonly StatementResult[]) => void
  readonly #reject: (error: Error) => void
  settled = false
  connection: Connection | null = null
  /** Where it waits, to be taken out when it is settled early. */
  queue: { remove(flight: Flight): void } | null = null
  /** Set when not statements but a whole connection is wanted: called with the connection, nothing is sent. */
  borrow: ((connection: Connection) => void) | null = null
  /** Called once when Postgres has answered, whether or not anybody still waits. */
  onLanded: (() => void) | null = null
  /** Whether others may be in flight on the same connection. */
  shares = false
  sentAtMs = 0
  queuedAtMs = 0
  /** A flight goes round a second time at most once. */
  retried = false
  error: ErrorReply | null = null
  rowBytes = 0
  /** Number of statements that are complete: the index of the one that runs. */
  done = 0
  /** Highest prepared statement of the connection when the flight was written. */
  preparedUpTo = 0
  /** Statements whose Parse travels with this flight, in order, and how many of them Postgres has confirmed. */
  parses: PreparedStatement[] | null = null
  parsed = 0
  /** The statements are answered, and what follows is the place of the commit. */
  isPlaced = false
  #place: string | undefined
  #results: Result[] = []
  #rows: Rows = []

  constructor(
    plan: FlightPlan,
    watch: FlightWatch,
    resolve: (results: readonly StatementResult[]) => void,
    reject: (error: Error) => void,
  ) {
    this.plan = plan
    this.#watch = watch
    this.#resolve = resolve
    this.#reject = reject
    watch.add(this)
  }

  get deadline(): Deadline {
    return this.plan.deadline
  }

  get signal(): HangUp | undefined {
    return this.plan.signal
  }

  row(bytes: Buffer, start: number): void {
    if (this.isPlaced) this.#place = toRow(bytes, start)[0]?.toString()
    else if (!this.settled && this.#wanted()) this.#rows.push(toRow(bytes, start))
  }

  /** A statement is complete; its tag is the C string from `start` to `end`. */
  complete(bytes: Buffer, start: number, end: number): void {
    if (this.isPlaced) return
    if (!this.settled && this.#wanted()) {
      this.#results.push(new Result(this.#rows, bytes, start, end - 1))
      this.#rows = []
    }
    this.done++
  }

  /** Postgres has refused a statement. Once the statements are committed, that changes nothing. */
  refuse(reply: ErrorReply): void {
    if (!this.isPlaced) this.error ??= reply
  }

  /** Whether after this ReadyForQuery the place of the commit is still to come. */
  awaitsPlace(): boolean {
    if (this.isPlaced || this.plan.onCommit === undefined) return false
    this.isPlaced = true
    return true
  }

  /** Whether the place of the commit was asked for in vain. */
  get isPlaceUnknown(): boolean {
    return this.isPlaced && this.#place === undefined
  }

  /** The connection is lost. What was answered before stands. */
  lose(loss: Error): void {
    if (!this.isPlaced) this.fail(loss)
    else if (this.error !== null) this.fail(new PostgresError(this.error.fields))
    else this.succeed()
  }

  /** Whether a ReadyForQuery with this status leaves the session as it should be. */
  mayEndWith(status: string): boolean {
    const { ends, named } = this.plan.envelope
    if (status === ends) return true
    // A failed transaction stays open until its borrower, or the lane, rolls it back.
    if (status === 'E') return ends === 'T' || !named
    return this.error !== null && status === 'I'
  }

  /** Back to before it was sent, for its second and last try. */
  rewind(): void {
    this.retried = true
    this.connection = null
    this.error = null
    this.done = 0
    this.rowBytes = 0
    this.parses = null
    this.parsed = 0
    this.isPlaced = false
    this.#place = undefined
    this.#results = []
    this.#rows = []
  }

  succeed(): void {
    if (!this.#settle()) return
    this.plan.onCommit?.(this.#place)
    this.#resolve(this.#results)
  }

  fail(error: Error): void {
    if (this.#settle()) this.#reject(error)
  }

  expire(reason: 'deadline' | 'aborted'): void {
    const sent = this.connection !== null
    this.fail(toGivenUp(reason, sent))
    this.queue?.remove(this)
    this.connection?.abandon(this)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.#watch.remove(this)
    return true
  }

  #wanted(): boolean {
    const { envelope } = this.plan
    return this.done >= envelope.firstWanted && this.done < envelope.endWanted
  }
}

/** The answer to a caller whose time is over or who has left. */
export function toGivenUp(reason: 'deadline' | 'aborted', sent: boolean): PostgresUnavailable {
  const why = reason === 'deadline' ? 'The deadline passed' : 'The caller hung up'
  return new PostgresUnavailable(reason, `${why} ${sent ? 'while Postgres worked' : 'before Postgres was asked'}`, {
    sent,
  })
}

/** Boards a new flight; the promise is what its caller gets. Rejects when a statement does not fit the protocol. */
export function createFlight(
  plan: FlightPlan,
  watch: FlightWatch,
  board: (flight: Flight) => void,
): Promise<readonly StatementResult[]> {
  return new Promise((resolve, reject) => {
    mustFit(plan.envelope.statements)
    board(new Flight(plan, watch, resolve, reject))
  })
}

/** Rolls back what a failed explicit transaction left open. Nobody waits for it, so it has no end of its own. */
export function toRollback(failed: Flight, watch: FlightWatch): Flight {
  const deadline = { ...failed.plan.deadline, atMs: Number.POSITIVE_INFINITY }
  const plan = { ...failed.plan, envelope: toClosingEnvelope('rollback'), statements: [], deadline, signal: undefined }
  return new Flight(plan, watch, ignore, ignore)
}

function ignore(): void {}
