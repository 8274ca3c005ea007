import { PostgresError } from '@pando/postgres/errors'
import { attendStream, silent, type Attendance } from './attend-stream.ts'
import { mustParseLsn, printLsn } from '@pando/postgres/lsn'
import { quoteName } from '@pando/postgres/quote'
import { currentUrl } from '@pando/postgres/server-url'
import { isGoneOnFrom, parseForerunners } from './forerunner.ts'
import { openReplication, type ReplicationConnection } from './replication/connection.ts'
import type { Outcome, SlotReading } from './slot-reading.ts'
import { canFailOver, dropSlot, findSlot, listPublications, listTypeNames } from './slot.ts'
import { createStreamSink } from './stream-sink.ts'

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
  const there = await findSlot(queries, slot)
  const lostBecause = there?.lostBecause && `the server gave it up (${there.lostBecause})`
  if (lostBecause !== undefined) await giveUpSlot(reading, lostBecause)
  const found = lostBecause === undefined ? there : undefined
  if (found?.isActive === true) return 'busy'
  const publications = await mustListPublications(reading)
  const url = currentUrl(reading.url)
  const connection = await openReplication({
    clock: reading.clock,
    url,
    primaryOnly: typeof reading.url === 'function',
    applicationName: reading.applicationName,
    connectMs: limits.connectTimeout,
    silenceMs: limits.silence,
    messageBytesMax: limits.transactionBytesMax,
  })
  const onStop = (): void => void connection.close(limits.stopTimeout)
  stopped.addEventListener('abort', onStop)
  try {
    if (stopped.aborted) return 'again'
    if (found === undefined) await createSlot(reading, connection, lostBecause)
    else if (found.isFailover === false)
      await connection.command(`ALTER_REPLICATION_SLOT ${quoteName(slot)} (FAILOVER)`)
    const isMoved = (): boolean => currentUrl(reading.url) !== url
    return await readOn(reading, connection, { publications, onCaughtUp, isMoved })
  } catch (error) {
    const code = error instanceof PostgresError ? error.fields.code : undefined
    if (code === objectInUse || code === duplicateObject) return 'busy'
    // Up to PostgreSQL 17 a slot cannot be read past a place where one of its publications was not there.
    if (code !== undefinedObject) throw error
    await giveUpSlot(reading, (error as Error).message)
    return 'again'
  } finally {
    stopped.removeEventListener('abort', onStop)
    await connection.close(limits.stopTimeout)
  }
}

/** Nobody is told before there is another one: what is fetched before that misses what is committed between the two. */
async function giveUpSlot({ queries, slot, observe }: SlotReading, reason: string): Promise<void> {
  await dropSlot(queries, slot)
  observe({ kind: 'slot.given_up', slot, reason })
}

async function mustListPublications({ queries, publications, observe }: SlotReading): Promise<string[]> {
  const present = await listPublications(queries, publications)
  const names = publications.filter((name) => !present.includes(name))
  if (names.length > 0) observe({ kind: 'publications.missing', names })
  if (present.length > 0) return present
  throw new Error(`no publication to read changes from: create one of ${publications.join(', ')}`)
}

/**
 * Waits for the end of all transactions that write just now: that is how Postgres finds a place to begin. Replicas that
 * synchronise slots get it too, so that reading goes on after a failover; elsewhere there is none on the new primary.
 */
async function createSlot(
  reading: SlotReading,
  connection: ReplicationConnection,
  lostBecause: string | undefined,
): Promise<void> {
  const { slot, log, observe, clock } = reading
  const startedAtMs = clock.monotonic()
  observe({ kind: 'slot.creating', slot })
  const options = (await canFailOver(reading.queries)) ? "(SNAPSHOT 'nothing', FAILOVER)" : 'NOEXPORT_SNAPSHOT'
  await connection.command(`CREATE_REPLICATION_SLOT ${quoteName(slot)} LOGICAL pgoutput ${options}`)
  observe({ kind: 'slot.created', slot, tookMs: clock.monotonic() - startedAtMs })
  if (log.server !== '' || lostBecause !== undefined)
    log.reset(`the replication slot has been made anew: ${lostBecause ?? 'it was gone'}`)
}

type Run = Omit<Attendance, 'confirmed'> & { readonly onCaughtUp: () => void }

async function readOn(reading: SlotReading, connection: ReplicationConnection, run: Run): Promise<Outcome> {
  const { limits, log, slot, observe, relay } = reading
  const overdue = setTimeout(() => connection.destroy(silent(limits.silence)), limits.silence)
  try {
    const confirmed = await beginStream(reading, connection, run)
    clearTimeout(overdue)
    observe({ kind: 'stream.started', slot, from: printLsn(log.window.reachedLsn) })
    connection.flow()
    return await attendStream(reading, connection, { ...run, confirmed })
  } finally {
    clearTimeout(overdue)
    relay?.follow()
  }
}

/** Starts the stream where the log goes on, and returns what the slot has confirmed. */
async function beginStream(reading: SlotReading, connection: ReplicationConnection, run: Run): Promise<bigint> {
  const { queries, slot, log, relay } = reading
  const typeNames = await listTypeNames(queries)
  // From here on the server tells; what others say would be compared with an older answer of it.
  relay?.pause()
  const end = await meetServer(reading, connection)
  // A place behind what the slot has confirmed: transactions before it are skipped by the server and not confirmed.
  const from = log.hasBegun ? log.window.reachedLsn : 0n
  log.readFrom(run.publications)
  const sink = createStreamSink(reading, connection, { typeNames, end, onCaughtUp: run.onCaughtUp })
  await connection.startStream(toStartCommand(slot, from, run.publications), sink)
  // The slot is ours now, so nobody moves what it has confirmed any more.
  const confirmed = (await findSlot(queries, slot))?.confirmedLsn ?? 0n
  if (!log.hasBegun) log.begin(confirmed)
  else if (confirmed > from) log.reset('another reader has read on and let the slot forget', { lsn: confirmed })
  relay?.lead()
  return confirmed
}

/**
 * Learns which server this is and returns where its log ends; a log that is not the one read so far begins anew. After a
 * failover it is the same when the new primary has everything that was read.
 */
async function meetServer(reading: SlotReading, connection: ReplicationConnection): Promise<bigint> {
  const [row] = await connection.command('IDENTIFY_SYSTEM')
  const [systemId, timeline, end] = row as [string, string, string]
  const { log } = reading
  const server = `${systemId}.${timeline}`
  const before =
    timeline === '1' ? [] : parseForerunners(systemId, await connection.command(`TIMELINE_HISTORY ${timeline}`))
  const last = log.server
  log.server = server
  log.forerunner = before.at(-1)
  const goesOn = (): boolean => before.some((one) => isGoneOnFrom(one, last, log.window.reachedLsn))
  if (log.hasBegun && last !== '') {
    if (!last.startsWith(`${systemId}.`)) log.reset('this is another server')
    else if (last !== server) {
      if (!goesOn()) log.reset('the server was restored or another took over (new timeline)')
    } else if (mustParseLsn(end) < log.window.reachedLsn) log.reset('the server has lost the end of its log')
  }
  return mustParseLsn(end)
}

const toStartCommand = (slot: string, from: bigint, publications: readonly string[]): string => {
  const names = publications.map(quoteName).join(',').replaceAll("'", "''")
  const options = `proto_version '1', messages 'true', publication_names '${names}'`
  return `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL ${printLsn(from)} (${options})`
}
