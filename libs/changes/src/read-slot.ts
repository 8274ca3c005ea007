import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@pando/core/clock'
import type { Queries } from '@pando/postgres/database'
import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import { createAssembler } from './assembler.ts'
import type { ChangesValues } from './config.ts'
import type { Log } from './log.ts'
import { parseLsn, printLsn } from './lsn.ts'
import type { Observe } from './observation.ts'
import { openReplication, type ReplicationConnection, type StreamSink } from './replication/connection.ts'
import { dropSlot, findSlot, listPublications, listTypeNames } from './slot.ts'

export type SlotReading = {
  readonly clock: Clock
  readonly observe: Observe
  readonly url: string
  readonly applicationName: string
  readonly limits: ChangesValues
  readonly publications: readonly string[]
  /** The ordinary connection. */
  readonly queries: Queries
  readonly slot: string
  readonly log: Log
  /** The server that the log was read from; undefined before the first. */
  server: Server | undefined
}

type Server = { readonly systemId: string; readonly timeline: string }

/** `busy`: somebody else reads the slot. `again`: reading must begin anew, at once. */
export type Outcome = 'busy' | 'again'

const objectInUse = '55006'
const duplicateObject = '42710'
const undefinedObject = '42704'

/**
 * Takes the slot, making it when there is none, and reads it until that ends. Calls `onCaughtUp` once, when everything that
 * was in the log at the beginning has been read. Rejects when the slot cannot be had or the connection is lost; `stopped`
 * ends it in good order.
 */
export async function readSlot(reading: SlotReading, stopped: AbortSignal, onCaughtUp: () => void): Promise<Outcome> {
  const { queries, slot, limits } = reading
  const found = await findSlot(queries, slot)
  if (found?.lostBecause !== undefined) return await giveUpSlot(reading, `the server gave it up (${found.lostBecause})`)
  if (found?.isActive === true) return 'busy'
  const publications = await mustListPublications(reading)
  const connection = await openReplication({
    clock: reading.clock,
    url: reading.url,
    applicationName: reading.applicationName,
    connectMs: limits.connectTimeout,
    silenceMs: limits.silence,
    messageBytesMax: limits.transactionBytesMax,
  })
  const onStop = (): void => void connection.close(limits.stopTimeout)
  stopped.addEventListener('abort', onStop)
  try {
    if (stopped.aborted) return 'again'
    if (found === undefined) await createSlot(reading, connection)
    return await readOn(reading, connection, { publications, onCaughtUp })
  } catch (error) {
    const code = error instanceof PostgresError ? error.fields.code : undefined
    if (code === objectInUse || code === duplicateObject) return 'busy'
    // Up to PostgreSQL 17 a slot cannot be read past a place where one of its publications was not there.
    if (code === undefinedObject) return await giveUpSlot(reading, (error as Error).message)
    throw error
  } finally {
    stopped.removeEventListener('abort', onStop)
    await connection.close(limits.stopTimeout)
  }
}

async function giveUpSlot({ queries, slot, log, observe }: SlotReading, reason: string): Promise<Outcome> {
  await dropSlot(queries, slot)
  observe({ kind: 'slot.given_up', slot, reason })
  log.reset(`the replication slot was lost: ${reason}`)
  return 'again'
}

async function mustListPublications({ queries, publications, observe }: SlotReading): Promise<string[]> {
  const present = await listPublications(queries, publications)
  const names = publications.filter((name) => !present.includes(name))
  if (names.length > 0) observe({ kind: 'publications.missing', names })
  if (present.length > 0) return present
  throw new Error(`no publication to read changes from: create one of ${publications.join(', ')}`)
}

/** Waits for the end of all transactions that write just now: that is how Postgres finds a place to begin. */
async function createSlot(reading: SlotReading, connection: ReplicationConnection): Promise<void> {
  const { slot, log, observe, clock } = reading
  const startedAtMs = clock.monotonic()
  await connection.command(`CREATE_REPLICATION_SLOT ${quoteName(slot)} LOGICAL pgoutput NOEXPORT_SNAPSHOT`)
  observe({ kind: 'slot.created', slot, tookMs: clock.monotonic() - startedAtMs })
  if (log.hasBegun) log.reset('the replication slot was gone and has been made anew')
}

type Run = { readonly publications: readonly string[]; readonly onCaughtUp: () => void }

async function readOn(reading: SlotReading, connection: ReplicationConnection, run: Run): Promise<Outcome> {
  const { queries, slot, log, observe } = reading
  const typeNames = await listTypeNames(queries)
  const end = await meetServer(reading, connection)
  // A place behind what the slot has confirmed: transactions before it are skipped by the server and not confirmed.
  const from = log.hasBegun ? log.window.reachedLsn : 0n
  const sink = createSink(reading, connection, { typeNames, end, onCaughtUp: run.onCaughtUp })
  await connection.startStream(toStartCommand(slot, from, run.publications), sink)
  // The slot is ours now, so nobody moves what it has confirmed any more.
  const confirmed = (await findSlot(queries, slot))?.confirmedLsn ?? 0n
  if (!log.hasBegun) log.begin(confirmed)
  else if (confirmed > from) log.reset('another reader has read on and let the slot forget', { lsn: confirmed })
  observe({ kind: 'stream.started', slot, from: printLsn(log.window.reachedLsn) })
  connection.flow()
  return await attend(reading, connection, { publications: run.publications, confirmed })
}

/** Learns which server this is and returns where its log ends; a log that is not the one read so far begins anew. */
async function meetServer(reading: SlotReading, connection: ReplicationConnection): Promise<bigint> {
  const [row] = await connection.command('IDENTIFY_SYSTEM')
  const [systemId, timeline, end] = row as [string, string, string]
  const { server, log } = reading
  reading.server = { systemId, timeline }
  if (log.hasBegun && server !== undefined) {
    if (server.systemId !== systemId) log.reset('this is another server')
    else if (server.timeline !== timeline) log.reset('the server was restored or another took over (new timeline)')
    else if (parseLsn(end) < log.window.reachedLsn) log.reset('the server has lost the end of its log')
  }
  return parseLsn(end)
}

const toStartCommand = (slot: string, from: bigint, publications: readonly string[]): string => {
  const names = publications.map(quoteName).join(',').replaceAll("'", "''")
  return `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL ${printLsn(from)} (proto_version '1', publication_names '${names}')`
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

type SinkPlan = {
  readonly typeNames: ReadonlyMap<number, string>
  /** Where the log ended when reading began. */
  readonly end: bigint
  readonly onCaughtUp: () => void
}

function createSink(
  { log, limits }: SlotReading,
  connection: ReplicationConnection,
  { typeNames, end, onCaughtUp }: SinkPlan,
): StreamSink {
  let isBehind = true
  const reached = (): void => {
    if (!isBehind || log.window.reachedLsn < end) return
    isBehind = false
    onCaughtUp()
  }
  const assembler = createAssembler(
    { typeNames, transactionBytesMax: limits.transactionBytesMax },
    {
      committed: (transaction, endLsn) => {
        log.append(transaction, endLsn)
        reached()
      },
      tooLarge: (_lsn, endLsn, relations) => {
        log.reset('a transaction was larger than changes.transaction_bytes_max', { lsn: endLsn, relations })
        reached()
      },
      empty: (endLsn) => {
        log.reach(endLsn)
        reached()
      },
    },
  )
  return {
    message: assembler.take,
    oversized: assembler.takeOversized,
    keepalive: (walEnd, wantsReply) => {
      // Inside of a transaction the place that the server names may lie behind changes that are still to come.
      if (!assembler.isOpen()) log.reach(walEnd)
      if (wantsReply) connection.sendStatus({ writtenLsn: log.window.reachedLsn, confirmedLsn: 0n, wantsReply: false })
      reached()
    },
  }
}

/** Keeps the connection and the slot in order until the stream ends. */
async function attend(
  reading: SlotReading,
  connection: ReplicationConnection,
  { publications, confirmed }: { publications: readonly string[]; confirmed: bigint },
): Promise<Outcome> {
  const { log, limits, clock } = reading
  const ending = new AbortController()
  let confirmedLsn = confirmed
  const status = setInterval(() => {
    log.window.expire(clock.monotonic())
    const { leftLsn, reachedLsn } = log.window
    const news = leftLsn > confirmedLsn ? leftLsn : 0n
    confirmedLsn = news || confirmedLsn
    connection.sendStatus({ writtenLsn: reachedLsn, confirmedLsn: news, wantsReply: true })
    if (connection.silentMs() > limits.silence) connection.destroy(silent(limits.silence))
  }, limits.statusInterval)
  try {
    const over = connection.ended.then((error) => Promise.reject(error))
    return await Promise.race([over, watchSlot(reading, publications, ending.signal)])
  } finally {
    clearInterval(status)
    ending.abort()
  }
}

const silent = (silenceMs: number): PostgresUnavailable =>
  new PostgresUnavailable('connection', `Postgres has said nothing for ${silenceMs} ms`, { sent: true })

/** Measures the slot from time to time; fulfils when reading must begin anew because publications came or went. */
async function watchSlot(reading: SlotReading, publications: readonly string[], ended: AbortSignal): Promise<Outcome> {
  const { queries, slot, limits, log, observe } = reading
  for (;;) {
    // After the end nobody waits for this any more.
    await sleep(limits.checkInterval, undefined, { signal: ended }).catch(() => new Promise<never>(() => undefined))
    try {
      const found = await findSlot(queries, slot)
      if (found === undefined) continue
      const { transactions: windowTransactions, bytes: windowBytes } = log.window.size
      const { retainedBytes, leftBytes } = found
      observe({ kind: 'slot.checked', slot, retainedBytes, leftBytes, windowBytes, windowTransactions })
      const present = await listPublications(queries, reading.publications)
      if (present.join() === publications.join()) continue
    } catch {
      // Whether Postgres is there is for the stream to say.
      continue
    }
    log.reset('publications were created or dropped', { lsn: log.window.reachedLsn })
    return 'again'
  }
}
