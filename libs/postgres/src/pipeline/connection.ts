import type { Duplex } from 'node:stream'
import { PostgresUnavailable } from '../errors.ts'
import { cancelUntilLanded, type FenceDeps } from './fence.ts'
import { FlightEncoder } from './flight-encoder.ts'
import type { Flight } from './flight.ts'
import type { FlushQueue } from './flush-queue.ts'
import type { CloseReason } from './observation.ts'
import { toOverflow } from './protocol-limits.ts'
import { ReplyDispatch, type ReplyEvents } from './reply-dispatch.ts'
import { ReplyReader } from './reply-reader.ts'

/** Who lends the connection out. Each is called once the connection's own state is settled. */
export type ConnectionOwner = {
  /** Postgres has answered a flight; `status` is the transaction status of its ReadyForQuery. */
  landed(connection: Connection, flight: Flight, tookMs: number, status: string): void
  /** A cancel has been resolved: there may be room again. */
  freed(connection: Connection): void
  cancelling(connection: Connection): void
  /** The connection is no more. `unsent` flights never left this process. */
  gone(connection: Connection, why: CloseReason, unsent: readonly Flight[]): void
}

export type ConnectionDeps = FenceDeps & { readonly socket: Duplex; readonly flushes: FlushQueue }

const terminateFrame = Buffer.from([0x58, 0, 0, 0, 4])

/**
 * One authenticated session whose socket is ours. Flights are answered in the order in which they were sent; the first
 * one in flight is what Postgres works on.
 */
export class Connection {
  readonly #deps: ConnectionDeps
  readonly #owner: ConnectionOwner
  readonly #encoder: FlightEncoder
  readonly #flights: Flight[] = []
  /** How many flights at the end of the queue have not been handed to the socket. */
  #unsent = 0
  #cancelling = false
  #draining = false
  #gone = false
  #closeReason: CloseReason | null = null
  #cause: unknown
  /** Lent out as a whole: only its borrower sends. */
  leased = false
  /** When Postgres last became free. */
  idleSinceMs: number

  constructor(deps: ConnectionDeps, owner: ConnectionOwner) {
    const { socket, limits, clock } = deps
    this.#deps = deps
    this.#owner = owner
    this.#encoder = new FlightEncoder(socket, limits.preparedMax)
    this.idleSinceMs = clock.monotonic()
    const replies = new ReplyDispatch(this.#flights, this.#toEvents(), limits.resultBytesMax)
    const reader = new ReplyReader(replies)
    socket.on('data', (chunk: Buffer) => this.#read(reader, chunk))
    socket.on('error', (error: Error) => (this.#cause ??= error))
    socket.on('close', () => this.#end())
    if (socket.destroyed) queueMicrotask(() => this.#end())
  }

  get load(): number {
    return this.#flights.length
  }

  /** Nothing in flight, not lent out, not about to close. */
  get idle(): boolean {
    return this.#flights.length === 0 && !this.#cancelling && !this.leased && !this.#draining && !this.#gone
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Whether it takes a further flight when `depthMax` may be in flight at once. */
  hasRoom(depthMax: number): boolean {
    if (this.#cancelling || this.leased || this.#draining || this.#gone) return false
    // Who does not share is in flight alone.
    if (this.#flights.length > 0 && !this.#flights[0]!.shares) return false
    return this.#flights.length < depthMax && !this.#encoder.congested
  }

  /** Encodes the flight; the bytes leave at the end of this turn of the event loop. */
  send(flight: Flight): void {
    flight.connection = this
    if (this.#gone) return flight.fail(this.#toLoss(false))
    this.#encoder.encode(flight)
    flight.sentAtMs = this.#deps.clock.monotonic()
    this.#flights.push(flight)
    if (this.#unsent++ === 0) this.#deps.flushes.add(this)
  }

  flush(): void {
    this.#unsent = 0
    if (!this.#gone) this.#encoder.flush()
  }

  /** Takes nothing new and closes: now when idle, otherwise after the last answer. */
  drain(why: CloseReason): void {
    this.#draining = true
    this.#closeReason ??= why
    this.#closeWhenUnused()
  }

  /** Ends the lease and closes if that was all that kept it open. */
  release(): void {
    this.leased = false
    this.#closeWhenUnused()
    if (!this.#draining && !this.#gone) this.#owner.freed(this)
  }

  /** Ends the lease in the middle of a transaction: cancels what runs and closes, whereupon Postgres rolls back. */
  breakLease(): void {
    if (this.#flights.length > 1) return this.destroy('stuck')
    if (this.#flights.length === 1) this.abandon(this.#flights[0]!)
    this.leased = false
    this.drain('tainted')
  }

  destroy(why: CloseReason, cause?: unknown): void {
    this.#closeReason ??= why
    this.#cause ??= cause
    this.#draining = true
    this.#deps.socket.destroy()
  }

  /**
   * Nobody waits for this flight any more. If it is alone in flight, so that nobody else can be hit, it is cancelled in
   * Postgres, and the connection takes nothing new until that is resolved.
   */
  abandon(flight: Flight): void {
    if (this.#gone || this.#cancelling || this.#flights.length !== 1 || this.#flights[0] !== flight) return
    if (this.#unsent > 0) this.flush()
    // Postgres ignores a cancel while it still reads the statement: only a broken connection stops that.
    if (!this.#encoder.drained) return this.destroy('stuck')
    this.#cancelling = true
    this.#owner.cancelling(this)
    cancelUntilLanded(this.#deps, flight).then(
      () => this.#unfence(),
      (error: unknown) => this.destroy('stuck', error),
    )
  }

  #toEvents(): ReplyEvents {
    return {
      ready: (status) => this.#ready(status),
      fatal: ({ fields }) => (this.#cause ??= Object.assign(new Error(fields.message), { code: fields.code })),
      settingChanged: () => this.drain('tainted'),
      strayed: (error) => this.destroy('tainted', error),
      overflowed: (flight) => {
        flight.fail(toOverflow(this.#deps.limits.resultBytesMax))
        this.abandon(flight)
      },
    }
  }

  #read(reader: ReplyReader, chunk: Buffer): void {
    try {
      reader.read(chunk)
    } catch (error) {
      this.destroy('lost', error)
    }
  }

  #ready(status: string): void {
    const flight = this.#flights[0]
    if (flight === undefined || flight.awaitsPlace()) return
    this.#flights.shift()
    const now = this.#deps.clock.monotonic()
    const tookMs = now - Math.max(flight.sentAtMs, this.idleSinceMs)
    this.idleSinceMs = now
    if (flight.isPlaceUnknown) this.#encoder.forgetPlace()
    if (flight.error !== null) this.#encoder.forgetBroken(flight, flight.error.fields.code)
    if (!flight.mayEndWith(status)) this.destroy('tainted', new Error(`A transaction was left with status ${status}`))
    this.#owner.landed(this, flight, tookMs, status)
    flight.onLanded?.()
    this.#closeWhenUnused()
  }

  #unfence(): void {
    this.#cancelling = false
    this.#closeWhenUnused()
    if (!this.#draining && !this.#gone) this.#owner.freed(this)
  }

  #closeWhenUnused(): void {
    const { socket } = this.#deps
    if (!this.#draining || this.#flights.length > 0 || this.#cancelling || this.leased) return
    if (!socket.destroyed && !socket.writableEnded) socket.end(terminateFrame, () => socket.destroy())
  }

  #end(): void {
    if (this.#gone) return
    this.#gone = true
    const flights = this.#flights.splice(0)
    const unsent = this.#unsent > 0 ? flights.splice(-this.#unsent) : []
    for (const flight of flights) {
      flight.lose(this.#toLoss(true))
      flight.onLanded?.()
    }
    this.#owner.gone(this, this.#closeReason ?? 'lost', unsent)
  }

  #toLoss(sent: boolean): PostgresUnavailable {
    const inner = this.#cause instanceof Error ? `: ${this.#cause.message}` : ''
    const message = `The connection to Postgres was lost${inner}`
    return new PostgresUnavailable('connection', message, { sent, cause: this.#cause })
  }
}
