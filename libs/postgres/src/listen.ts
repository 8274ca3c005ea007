import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { toPostgresFailure } from './failure.ts'
import { currentUrl, type ServerUrl } from './server-url.ts'
import { quoteName } from './quote.ts'

export type ListenOptions = {
  /**
   * A direct connection: `listen` does not work through pgbouncer in transaction mode. Who gives a function follows the
   * primary, and is told of the loss when that moves.
   */
  readonly url: ServerUrl
  readonly applicationName: string
  readonly channels: readonly string[]
  readonly onNotice: (channel: string, payload: string) => void
  /** Called each time the channels are listened to again after a loss: whatever was sent meanwhile is missed. */
  readonly onReconnected: () => void
  readonly onLost?: (error: unknown) => void
  /** Numbers in [0, 1) that spread the pauses. Default: Math.random. */
  readonly random?: () => number
  /** An idle connection is asked for a sign of life this often. Default 30,000. */
  readonly heartbeatMs?: number
}

export type Listener = {
  /** Fulfilled as soon as the channels are listened to for the first time. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

const connectMs = 10_000
const answerMsMax = 10_000
const pauseMs = 100
const pauseMsMax = 10_000

/** Listens to channels on a connection of its own, which is made again, with growing jittered pauses, until `stop`. */
export function listen(options: ListenOptions): Listener {
  const stopping = new AbortController()
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>()
  const ended = keepListening(options, stopping.signal, setReady)
  return {
    ready,
    stop: () => {
      stopping.abort()
      return ended
    },
  }
}

async function keepListening(options: ListenOptions, stopped: AbortSignal, setReady: () => void): Promise<void> {
  let wasReady = false
  let failures = 0
  while (!stopped.aborted) {
    try {
      await listenOnce(options, stopped, () => {
        failures = 0
        if (wasReady) options.onReconnected()
        wasReady = true
        setReady()
      })
    } catch (error) {
      if (stopped.aborted) return
      options.onLost?.(toPostgresFailure(error, { sent: false }))
    }
    await sleep(reconnectPauseMs(failures++, options.random ?? Math.random), undefined, { signal: stopped }).catch(
      ignore,
    )
  }
}

/** Doubled from 100 ms up to 10 s, each between half and all of its length, so that a fleet does not return at once. */
export function reconnectPauseMs(failures: number, random: () => number): number {
  return Math.min(pauseMsMax, pauseMs * 2 ** Math.min(failures, 16)) * (0.5 + random() / 2)
}

/** Rejects when the connection is lost, fulfils when `stopped`. */
async function listenOnce(options: ListenOptions, stopped: AbortSignal, onListening: () => void): Promise<void> {
  const url = currentUrl(options.url)
  const client = new Client({
    connectionString: url,
    application_name: options.applicationName,
    connectionTimeoutMillis: connectMs,
    // Without it a connection that a router forgot would look alive for ever.
    query_timeout: answerMsMax,
    keepAlive: true,
  })
  const { promise: over, resolve: stop, reject: lose } = Promise.withResolvers<void>()
  over.catch(ignore)
  client.on('error', lose)
  client.on('end', () => lose(new Error('Connection terminated unexpectedly')))
  client.on('notification', ({ channel, payload }) => options.onNotice(channel, payload ?? ''))
  const onStop = (): void => stop()
  stopped.addEventListener('abort', onStop)
  const ending = new AbortController()
  const showLife = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await client.query('select 1')
      if (currentUrl(options.url) !== url) throw new Error('The primary is another server now')
      await sleep(options.heartbeatMs ?? 30_000, undefined, { signal: ending.signal })
    }
  }
  try {
    await Promise.race([client.connect(), over])
    if (stopped.aborted) return
    for (const channel of options.channels) await client.query(`listen ${quoteName(channel)}`)
    onListening()
    showLife().catch(lose)
    await over
  } finally {
    ending.abort()
    stopped.removeEventListener('abort', onStop)
    await client.end().catch(ignore)
  }
}

const ignore = (): void => undefined
