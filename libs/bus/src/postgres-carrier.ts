import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from '@pando/postgres/database'
import { listen, type Listener } from '@pando/postgres/listen'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { Carrier, CarrierEvents } from './carrier.ts'
import { createFrameJoiner, senderOfPart, splitFrame } from './parts.ts'
import type { Seal } from './seal.ts'

export type PostgresCarrierDeps = CarrierEvents & {
  /** A direct connection: `listen` does not work through a pooler in transaction mode. It may move with the primary. */
  readonly url: ServerUrl
  readonly nodeId: string
  /** Any role of the database may listen to the channel and notify on it. */
  readonly seal: Seal
  readonly frameBytesMax: number
  readonly pendingBytesMax: number
  /** How often the listening connection is asked for a sign of life, in milliseconds. */
  readonly heartbeatMs: number
  readonly connectMs: number
  readonly random: () => number
}

export type PostgresCarrier = Carrier & {
  /** How many processes listen to this database, and which Redis channels are this deployment's. */
  survey(): Promise<{ readonly listeners: number; readonly deployment: string }>
  /** That process is gone. */
  forget(nodeId: string): void
}

const channel = 'pando_bus'
const applicationName = 'pando bus'
const senderName = 'pando bus sender'
/** Not an option: a notification takes a millisecond, so a server that takes this long is away. */
const answerMsMax = 10_000
/** Payloads of one statement: few enough that it is short, many enough that its cost is shared. */
const batchBytesMax = 512 * 1024
/** How long the last words may take. Not an option: a process that stops has half a minute in all. */
const flushMs = 2000

/**
 * Sends by `notify` on one connection and hears by `listen` on another. What is not sent at once because the connection is lost
 * is not sent later: whoever lacks it asks.
 */
export function createPostgresCarrier(deps: PostgresCarrierDeps): PostgresCarrier {
  const { nodeId, seal } = deps
  const database = createDatabase({
    url: deps.url,
    applicationName: senderName,
    connectionsMax: 1,
    connectMs: deps.connectMs,
    statementMsMax: answerMsMax,
    answerMsMax,
    prepares: true,
  })
  const joiner = createFrameJoiner(deps.frameBytesMax)
  let listener: Listener | undefined
  let hears = false
  let sends = true
  let state: 'new' | 'up' | 'down' = 'new'
  let waiting: string[] = []
  let waitingBytes = 0
  let frames = 0
  let flushing: Promise<void> | undefined

  const change = (what: { hears?: boolean; sends?: boolean }, cause?: unknown): void => {
    hears = what.hears ?? hears
    sends = what.sends ?? sends
    const before = state
    state = hears && sends ? 'up' : cause === undefined ? before : 'down'
    if (state === before) return
    if (state === 'up') deps.onUp('postgres', before === 'down')
    else deps.onDown('postgres', cause)
  }
  const takeBatch = (): string[] => {
    let bytes = 0
    const end = waiting.findIndex((text) => (bytes += text.length) > batchBytesMax)
    const batch = end < 0 ? waiting : waiting.slice(0, end + 1)
    waiting = end < 0 ? [] : waiting.slice(end + 1)
    waitingBytes -= batch.reduce((sum, text) => sum + text.length, 0)
    return batch
  }
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      try {
        await database.query(notifyAll, [takeBatch()])
        change({ sends: true })
      } catch (cause) {
        waiting = []
        waitingBytes = 0
        change({ sends: false }, cause)
      }
    }
    flushing = undefined
  }
  const onNotice = (_channel: string, text: string): void => {
    const sender = senderOfPart(text)
    if (sender === nodeId) return
    let frame: Buffer | undefined
    try {
      const sealed = joiner.take(text)
      frame = sealed && seal.open(sealed, sender)
    } catch (cause) {
      return deps.onUnreadable('postgres', cause)
    }
    if (frame !== undefined) deps.onFrame(frame, 'postgres')
  }
  return {
    name: 'postgres',
    get isUp() {
      return state === 'up'
    },
    send: (frame) => {
      // The only one may be of any size: it is not larger than a message may be.
      if (waitingBytes > 0 && waitingBytes + frame.length * base64Factor > deps.pendingBytesMax) return false
      for (const text of splitFrame(seal.seal(frame), nodeId, ++frames)) {
        waiting.push(text)
        waitingBytes += text.length
      }
      // What is said within a turn goes in one statement.
      flushing ??= Promise.resolve().then(flush)
      return true
    },
    subscribe: () => Promise.resolve(),
    unsubscribe: () => undefined,
    survey: async () => {
      const [row] = await database.query<{ listeners: number; deployment: string }>(selectSurvey, [applicationName])
      return row!
    },
    forget: (sender) => {
      joiner.forget(sender)
      seal.forget(sender)
    },
    start: async () => {
      const failed = Promise.withResolvers<void>()
      listener = listen({
        url: deps.url,
        applicationName,
        channels: [channel],
        onNotice,
        onReconnected: () => change({ hears: true }),
        onLost: (cause) => {
          change({ hears: false }, cause)
          failed.resolve()
        },
        random: deps.random,
        heartbeatMs: deps.heartbeatMs,
      })
      const ready = listener.ready.then(() => change({ hears: true }))
      await Promise.race([ready, failed.promise])
    },
    stop: async () => {
      await Promise.race([flushing, sleep(flushMs, undefined, { ref: false })])
      await listener?.stop()
      await database.close()
    },
  }
}

const base64Factor = 4 / 3

// A notification is written to the log of Postgres; nobody needs to wait until that is on the disk.
const notifyAll = `
  with hurry as materialized (select set_config('synchronous_commit', 'off', true))
  select count(pg_notify('pando_bus', part)::text)
  from hurry, unnest($1::text[]) with ordinality as sent (part, place)`

// The deployment is its database: the cluster's number and the database's.
const selectSurvey = `
  select
    (select count(*)::int from pg_catalog.pg_stat_activity
      where datname = current_database() and application_name = $1) as listeners,
    (select system_identifier::text from pg_catalog.pg_control_system()) || '.' ||
      (select oid::text from pg_catalog.pg_database where datname = current_database()) as deployment`
