import type { Duplex } from 'node:stream'
import type { Clock } from '@pando/core/clock'
import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import { toErrorReply } from '@pando/postgres/pipeline/error-reply'
import { openSession, parseDatabaseUrl } from '@pando/postgres/pipeline/open-session'
import { toRow } from '@pando/postgres/pipeline/reply-reader'
import { FrameReader } from './frame-reader.ts'
import * as frames from './frames.ts'

export type ReplicationTarget = {
  readonly clock: Clock
  readonly url: string
  /** Whether a server in recovery is refused. */
  readonly primaryOnly: boolean
  readonly applicationName: string
  readonly connectMs: number
  /** After this long without a sign of life from us the server gives us up. */
  readonly silenceMs: number
  /** A longer message is thrown away and reported as oversized. */
  readonly messageBytesMax: number
}

/** Receives what the slot sends. Called synchronously: what is done here holds the stream back. */
export type StreamSink = {
  /** One message of the output plugin, in `bytes` from `start` to `end`; not kept. */
  message(bytes: Buffer, start: number, end: number): void
  /** The first bytes of a message that was too long to be kept. */
  oversized(head: Buffer): void
  /** The server has sent everything before `walEnd`. */
  keepalive(walEnd: bigint, wantsReply: boolean): void
}

/** Answer of a command: rows of text. */
export type Rows = (string | null)[][]

/** Values travel as text; these make the text the same on every server. */
const textSettings = [
  ['datestyle', 'ISO'],
  ['intervalstyle', 'postgres'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
  ['timezone', 'UTC'],
  ['statement_timeout', '0'],
] as const

/** Opens a connection on which a slot can be read. Rejects as `openSession` does. */
export async function openReplication(target: ReplicationTarget): Promise<ReplicationConnection> {
  const session = {
    config: Object.assign(parseDatabaseUrl(target.url), { replication: 'database' }),
    applicationName: target.applicationName,
    connectMs: target.connectMs,
    primaryOnly: target.primaryOnly,
  }
  const { socket } = await openSession(session, [...textSettings, ['wal_sender_timeout', `${target.silenceMs}`]])
  return new ReplicationConnection(socket, target)
}

/** While JavaScript works on what came for this long, the stream is held back for one turn of the event loop. */
const turnMs = 5

/** A connection in the protocol of replication: commands, one at a time, and after the last of them the stream. */
export class ReplicationConnection {
  /** Fulfilled, never rejected, with why the connection is over. */
  readonly ended: Promise<Error>
  readonly #clock: Clock
  readonly #socket: Duplex
  readonly #frames: FrameReader
  readonly #end: (error: Error) => void
  #heardAtMs: number
  #running: Command | undefined
  #sink: StreamSink | undefined
  #isOver = false
  #isHeld = false
  /** What came behind the frame at which the stream was held. */
  #rest: Buffer | undefined

  constructor(socket: Duplex, target: ReplicationTarget) {
    this.#clock = target.clock
    this.#socket = socket
    this.#heardAtMs = target.clock.monotonic()
    const sink = {
      isHeld: () => this.#isHeld || this.#isOver,
      frame: (type: number, bytes: Buffer, start: number, end: number) => this.#takeFrame(type, bytes, start, end),
      oversized: (_type: number, head: Buffer) => this.#sink?.oversized(head.subarray(frames.xLogDataHeaderBytes)),
    }
    this.#frames = new FrameReader(sink, target.messageBytesMax + frames.xLogDataHeaderBytes)
    const { promise, resolve } = Promise.withResolvers<Error>()
    this.ended = promise
    this.#end = resolve
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy(lost('Postgres closed the replication connection')))
  }

  /** Runs a replication command or a simple query; rejects with `PostgresError`, or `PostgresUnavailable` on a loss. */
  command(text: string): Promise<Rows> {
    if (this.#isOver) return this.ended.then((error) => Promise.reject(error))
    this.#running = { rows: [], error: undefined, settle: Promise.withResolvers() }
    this.#socket.write(frames.toQueryFrame(text))
    return this.#running.settle.promise
  }

  /** Runs START_REPLICATION; fulfils when the stream begins. Nothing of it is read before `flow`. */
  async startStream(text: string, sink: StreamSink): Promise<void> {
    this.#sink = sink
    await this.command(text)
  }

  /** Lets the stream of `startStream` begin. */
  flow(): void {
    this.#isHeld = false
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#read(rest)
    this.#socket.resume()
  }

  /**
   * Tells the server what has arrived and what the slot may forget. The server remembers the last status: a second one, that
   * confirms nothing, takes this reader, which confirms late on purpose, out of what a shutdown of the server and commits
   * (with `synchronous_standby_names = '*'`) wait for.
   */
  sendStatus(status: Omit<frames.Status, 'nowMs'>): void {
    if (this.#isOver) return
    const now = { ...status, nowMs: this.#clock.now() }
    const last = frames.toStatusFrame({ ...now, confirmedLsn: 0n })
    if (status.confirmedLsn === 0n) return void this.#socket.write(last)
    this.#socket.write(Buffer.concat([frames.toStatusFrame({ ...now, wantsReply: false }), last]))
  }

  /** How long the server has said nothing. */
  silentMs(): number {
    return this.#clock.monotonic() - this.#heardAtMs
  }

  /** Ends the stream politely, so that the slot is free when this fulfils; cuts the connection after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (this.#isOver) return
    this.#sink = undefined
    this.flow()
    this.#socket.end(frames.goodbye)
    const timer = setTimeout(() => this.destroy(lost('Postgres did not end the stream in time')), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  destroy(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#socket.destroy()
    // A server that ends the session has said why before.
    const reason = this.#running?.error ?? error
    this.#running?.settle.reject(reason)
    this.#end(reason)
  }

  #read(chunk: Buffer): void {
    const startedAtMs = (this.#heardAtMs = this.#clock.monotonic())
    try {
      const taken = this.#frames.read(chunk)
      if (this.#isHeld) this.#rest = chunk.subarray(taken)
    } catch (error) {
      return this.destroy(error as Error)
    }
    if (this.#isHeld || this.#clock.monotonic() - startedAtMs < turnMs) return
    // Node reads on while there is something to read, and everybody else would wait.
    this.#socket.pause()
    setImmediate(() => this.#isHeld || this.#socket.resume())
  }

  #takeFrame(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frames.backend.copyData:
        return this.#takeCopyData(bytes, start, end)
      case frames.backend.dataRow:
        return void this.#running?.rows.push(toRow(bytes, start).map((cell) => cell?.toString() ?? null))
      case frames.backend.errorResponse:
        return this.#takeError(new PostgresError(toErrorReply(bytes, start, end).fields))
      case frames.backend.copyBothResponse:
        this.#isHeld = true
        this.#socket.pause()
        return this.#settle()
      case frames.backend.readyForQuery:
        return this.#settle()
      case frames.backend.copyDone:
        return this.destroy(lost('Postgres ended the stream'))
    }
  }

  #takeCopyData(bytes: Buffer, start: number, end: number): void {
    const kind = bytes[start]
    if (kind === frames.stream.xLogData) this.#sink?.message(bytes, start + frames.xLogDataHeaderBytes, end)
    else if (kind === frames.stream.keepalive) {
      this.#sink?.keepalive(bytes.readBigUInt64BE(start + 1), bytes[start + 17] === 1)
    }
  }

  #takeError(error: PostgresError): void {
    if (this.#running === undefined) this.destroy(error)
    else this.#running.error = error
  }

  #settle(): void {
    const ended = this.#running
    this.#running = undefined
    if (ended?.error === undefined) ended?.settle.resolve(ended.rows)
    else ended.settle.reject(ended.error)
  }
}

type Command = { readonly rows: Rows; error: PostgresError | undefined; readonly settle: PromiseWithResolvers<Rows> }

const lost = (message: string): PostgresUnavailable => new PostgresUnavailable('connection', message, { sent: true })
