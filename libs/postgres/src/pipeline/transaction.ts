import type { Deadline } from '@pando/core/deadline'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { Consistency, HangUp, OnCommit, Statement, StatementResult } from '../exchange.ts'
import type { Connection } from './connection.ts'
import {
  emptyEnvelope,
  ownsSessions,
  roleIsolation,
  toAssertion,
  toClosingEnvelope,
  toInnerEnvelope,
  toOpeningEnvelope,
  type Envelope,
  type Isolation,
  type SessionRules,
  type Settings,
} from './envelope.ts'
import { createFlight, toGivenUp } from './flight.ts'
import type { FlightWatch, Watched } from './flight-watch.ts'
import type { Lane } from './lane.ts'

export type TransactionRequest = {
  readonly role: string
  readonly access: 'read' | 'write'
  readonly deadline: Deadline
  readonly signal?: HangUp
  /** Settings that hold for this transaction alone. */
  readonly settings?: Settings
  /** Of this transaction; without it the role's own. */
  readonly isolation?: Isolation
  /** Both as of an `Exchange`. */
  readonly consistency?: Consistency
  readonly onCommit?: OnCommit
}

export type Transaction = {
  /** Runs one statement; after an error every further one fails, as Postgres has it. */
  query(statement: Statement): Promise<StatementResult>
  /** Returned from the function, makes the transaction roll back and still resolve to the value. */
  rollback<T>(value: T): RolledBack<T>
}

/** Marks the outcome of a transaction that is to be rolled back. */
export class RolledBack<T> {
  readonly value: T

  constructor(value: T) {
    this.value = value
  }
}

type Work<T> = (tx: Transaction) => Promise<T | RolledBack<T>>

/**
 * Lends a transaction to `fn` for requests that must look at a result before they commit: commits when it returns,
 * rolls back when it throws or returns `tx.rollback(value)`. At the deadline, or when the caller hangs up, it rejects
 * at once and Postgres rolls back. `sent` of an error is true only if the commit was already on its way.
 */
export type RunTransaction = <T>(request: TransactionRequest, fn: Work<T>) => Promise<T>

export type TransactionDeps = SessionRules & { readonly watch: FlightWatch; readonly lane: Lane }

export async function runTransaction<T>(deps: TransactionDeps, request: TransactionRequest, fn: Work<T>): Promise<T> {
  const loan = createLoan(deps, request, await borrow(deps, request))
  return Promise.race([carryOut(loan, fn), loan.expired])
}

function borrow({ watch, lane }: TransactionDeps, request: TransactionRequest): Promise<Connection> {
  const { role, access, deadline, signal } = request
  const plan = { role, access, deadline, signal, envelope: emptyEnvelope, statements: [] }
  return new Promise((resolve, reject) => {
    const waiting = createFlight(plan, watch, (flight) => {
      flight.borrow = resolve
      lane.submit(flight)
    })
    waiting.catch(reject)
  })
}

/** A connection while one transaction has it. */
type Loan = {
  open(): Promise<void>
  readonly tx: Transaction
  commit(): Promise<void>
  rollback(): Promise<void>
  giveBack(): void
  /** What the caller is told when `error` ended the transaction. */
  toFailure(error: unknown): unknown
  /** Rejects when the deadline passes or the caller hangs up; never resolves. */
  readonly expired: Promise<never>
}

async function carryOut<T>(loan: Loan, fn: Work<T>): Promise<T> {
  try {
    await loan.open()
    const outcome = await fn(loan.tx)
    if (outcome instanceof RolledBack) {
      await loan.rollback()
      return outcome.value
    }
    await loan.commit()
    return outcome
  } catch (error) {
    await loan.rollback().catch(() => {})
    throw loan.toFailure(error)
  } finally {
    loan.giveBack()
  }
}

function createLoan(deps: TransactionDeps, request: TransactionRequest, connection: Connection): Loan {
  const { role, access, deadline, signal } = request
  const { promise: expired, reject: expire } = Promise.withResolvers<never>()
  expired.catch(() => {})
  let state: 'open' | 'ended' | 'expired' = 'open'
  let commitSent = false
  let firstError: unknown

  const watched: Watched = {
    deadline,
    signal,
    expire(reason) {
      deps.watch.remove(watched)
      expire(toGivenUp(reason, commitSent))
      state = 'expired'
      connection.breakLease()
    },
  }
  deps.watch.add(watched)

  // The loan is watched as a whole, so its statements have no end of their own.
  const plan = { role, access, statements: [], deadline: { ...deadline, atMs: Number.POSITIVE_INFINITY } }
  const send = (envelope: Envelope, onCommit?: OnCommit) => {
    if (state === 'expired') return Promise.reject(new Error('The transaction is over'))
    const part = { ...plan, envelope, signal: undefined, onCommit }
    return createFlight(part, deps.watch, (flight) => connection.send(flight))
  }
  const close = (how: 'commit' | 'rollback') => {
    state = 'ended'
    if (how === 'commit') commitSent = true
    return send(toClosingEnvelope(how), how === 'commit' ? request.onCommit : undefined)
  }

  return {
    async open() {
      const isolation = request.isolation ?? roleIsolation(deps, role)
      await send(toOpeningEnvelope({ access, isolation }, toAssertion(deps, request)(), ownsSessions(deps)))
    },
    tx: {
      async query(statement) {
        if (state !== 'open') throw new Error('A statement was given to a transaction that is over')
        try {
          const [result] = await send(toInnerEnvelope(statement))
          return result!
        } catch (error) {
          firstError ??= error
          throw error
        }
      },
      rollback: (value) => new RolledBack(value),
    },
    async commit() {
      const [result] = await close('commit')
      // A transaction in which a statement failed answers a commit with a rollback.
      if (result!.tag !== 'COMMIT') throw firstError ?? toFailedTransaction()
    },
    async rollback() {
      if (state !== 'expired') await close('rollback')
    },
    giveBack() {
      deps.watch.remove(watched)
      if (state !== 'expired') connection.release()
    },
    toFailure(error) {
      if (!(error instanceof PostgresUnavailable)) return error
      return new PostgresUnavailable(error.reason, error.message, { sent: commitSent, cause: error })
    },
    expired,
  }
}

function toFailedTransaction(): PostgresError {
  const message = 'current transaction is aborted, commands ignored until end of transaction block'
  return new PostgresError({ severity: 'ERROR', code: '25P02', message })
}
