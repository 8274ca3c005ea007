import { toErrorReply, type ErrorReply } from './error-reply.ts'
import type { Flight } from './flight.ts'
import type { ReplySink } from './reply-reader.ts'

/** What messages mean for the connection, as opposed to the flight that they answer. */
export type ReplyEvents = {
  /** The first flight is answered; `status` is the transaction status. */
  ready(status: string): void
  /** Postgres ends the session. */
  fatal(reply: ErrorReply): void
  /** A setting was changed for the session: it is not as it was opened any more. */
  settingChanged(): void
  /** The rows of this flight are more than `resultBytesMax`. */
  overflowed(flight: Flight): void
  /** A conversation began that a flight cannot hold. */
  strayed(error: Error): void
}

/** Hands each message to the flight that Postgres is answering, the first in line. */
export class ReplyDispatch implements ReplySink {
  readonly #flights: readonly Flight[]
  readonly #events: ReplyEvents
  readonly #resultBytesMax: number

  constructor(flights: readonly Flight[], events: ReplyEvents, resultBytesMax: number) {
    this.#flights = flights
    this.#events = events
    this.#resultBytesMax = resultBytesMax
  }

  reply(type: number, bytes: Buffer, start: number, end: number): void {
    const flight = this.#flights[0]
    switch (type) {
      case 0x44: // D: DataRow
        return flight === undefined ? undefined : this.#row(flight, bytes, start, end)
      case 0x43: // C: CommandComplete
        return flight?.complete(bytes, start, end)
      case 0x49: // I: EmptyQueryResponse
        return flight?.complete(bytes, start, start + 1)
      case 0x5a: // Z: ReadyForQuery
        return this.#events.ready(String.fromCharCode(bytes[start]!))
      case 0x31: // 1: ParseComplete
        if (flight !== undefined && !flight.isPlaced) flight.parsed++
        return
      case 0x45: // E: ErrorResponse
        return this.#refused(flight, toErrorReply(bytes, start, end))
      case 0x53: // S: ParameterStatus; what is set for a transaction only is not reported
        return this.#events.settingChanged()
      case 0x47: // G, H, W: CopyInResponse, CopyOutResponse, CopyBothResponse
      case 0x48:
      case 0x57:
        return this.#events.strayed(new Error('A statement started COPY, which an exchange cannot carry'))
    }
  }

  #row(flight: Flight, bytes: Buffer, start: number, end: number): void {
    flight.rowBytes += end - start
    if (flight.rowBytes > this.#resultBytesMax && !flight.settled) this.#events.overflowed(flight)
    flight.row(bytes, start)
  }

  #refused(flight: Flight | undefined, reply: ErrorReply): void {
    if (reply.fatal) this.#events.fatal(reply)
    else flight?.refuse(reply)
  }
}
