import type { Duplex } from 'node:stream'
import type { Statement } from '../exchange.ts'
import type { Flight } from './flight.ts'
import { FrameWriter } from './frame-writer.ts'
import { PreparedStatements, unnamedStatement, type PreparedStatement } from './prepared-statements.ts'

/**
 * Where the log goes on: behind everything that was committed before, flushed or not. With `synchronous_commit = off` the
 * flushed part would end too early.
 */
const place: Statement = { text: 'select pg_catalog.pg_current_wal_insert_lsn()', params: [] }

/** Writes flights as messages and knows which statements the session has prepared. */
export class FlightEncoder {
  readonly #writer: FrameWriter
  readonly #prepared: PreparedStatements

  constructor(socket: Duplex, preparedMax: number) {
    this.#writer = new FrameWriter(socket)
    this.#prepared = new PreparedStatements(preparedMax)
  }

  get congested(): boolean {
    return this.#writer.congested
  }

  get drained(): boolean {
    return this.#writer.drained
  }

  flush(): void {
    this.#writer.flush()
  }

  /** All statements of the flight, each with its Parse when it is not prepared yet, then one Sync. */
  encode(flight: Flight): void {
    const { envelope, onCommit } = flight.plan
    const { statements, named } = envelope
    // The Parse locks the tables until the exchange ends, so what is prepared anew cannot be outdated a second time.
    if (flight.retried) for (const { text } of statements) this.#prepared.forget(text, this.#prepared.lastId)
    for (const name of this.#prepared.takeToClose()) this.#writer.closeStatement(name)
    flight.preparedUpTo = this.#prepared.lastId
    for (let i = 0; i < statements.length; i++) {
      if (named) this.#encodeNamed(flight, statements[i]!)
      else this.#encodeUnnamed(statements[i]!)
    }
    this.#writer.sync()
    if (onCommit !== undefined) this.#encodePlace(named)
  }

  /** A transaction of its own behind the one that commits at the Sync before it. */
  #encodePlace(named: boolean): void {
    if (named) this.#writer.bindAndExecute(this.#prepared.find(place.text) ?? this.#prepare(place.text), place.params)
    else this.#encodeUnnamed(place)
    this.#writer.sync()
  }

  /**
   * Of a flight that failed: what was not parsed, or may be broken by a change of the schema, is prepared anew next
   * time.
   */
  forgetBroken(flight: Flight, code: string): void {
    const { parses, parsed, plan, done, preparedUpTo } = flight
    if (parses !== null)
      for (let i = parsed; i < parses.length; i++) this.#prepared.forget(parses[i]!.text, parses[i]!.id)
    // A statement that is gone did not go alone (`deallocate all`, `discard all`).
    if (code === '26000') this.#prepared.forgetAll(preparedUpTo)
    const text = plan.envelope.statements[done]?.text
    const outdated = code === '0A000' || (code.startsWith('42') && code !== '42501')
    if (outdated && text !== undefined) this.#prepared.forget(text, preparedUpTo)
  }

  /** Somebody may have deallocated it. */
  forgetPlace(): void {
    this.#prepared.forget(place.text, this.#prepared.lastId)
  }

  #encodeNamed(flight: Flight, { text, params }: Statement): void {
    let prepared = this.#prepared.find(text)
    if (prepared === undefined) {
      prepared = this.#prepare(text)
      if (flight.parses === null) flight.parses = [prepared]
      else flight.parses.push(prepared)
    }
    this.#writer.bindAndExecute(prepared, params)
  }

  #prepare(text: string): PreparedStatement {
    const prepared = this.#prepared.add(text)
    this.#writer.parse(prepared.name, text)
    return prepared
  }

  #encodeUnnamed({ text, params }: Statement): void {
    this.#writer.parse('', text)
    this.#writer.bindAndExecute(unnamedStatement, params)
  }
}
