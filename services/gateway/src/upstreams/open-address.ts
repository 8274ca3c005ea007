import type { buildConnector, Pool } from 'undici'
import { isUnreachable } from '../errors.ts'
import { createHealth, type Health, type HealthLimits } from './health.ts'
import { nameOf, type Place } from './resolve-origin.ts'
import type { Clock } from '@pando/core/clock'

export type AddressLimits = HealthLimits & {
  readonly connectionsMax: number
  readonly connectTimeoutMs: number
  readonly probeTimeoutMs: number
}

/** One machine that answers for a service, and the ways to it. */
export type Address = {
  readonly name: string
  readonly place: Place
  readonly health: Health
  /** Connections that are kept between requests. */
  readonly pool: Pool
  /** Makes a connection of its own, for a WebSocket. */
  readonly connect: buildConnector.connector
  /** What runs there for this node now. */
  readonly running: { requests: number; sockets: number }
  /** Asks for its `/health/ready` and takes note of the answer. */
  probe(): Promise<void>
  /** Takes no new requests; resolves when those that run have ended. */
  close(): Promise<void>
  /** Ends at once. */
  destroy(): Promise<void>
}

/** Ends idle connections before the other side's 72 s do. */
const idleMs = 30_000

/** Makes the ways to a machine; nothing is connected yet. */
export async function openAddress(place: Place, limits: AddressLimits, clock: Clock): Promise<Address> {
  // Loaded by nodes that forward, and by no others: it takes 5 MB.
  const { buildConnector, Pool } = await import('undici')
  const { connectTimeoutMs: timeout, probeTimeoutMs } = limits
  const connectAny = buildConnector({ timeout, allowH2: false })
  // The name of the origin stays the one that certificates are for.
  const connect: buildConnector.connector = (options, callback) =>
    connectAny(
      place.ip === undefined
        ? options
        : { ...options, hostname: place.ip, servername: options.servername ?? options.hostname },
      callback,
    )
  const pool = new Pool(place.origin, {
    connections: limits.connectionsMax,
    pipelining: 1,
    connect,
    keepAliveTimeout: idleMs,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  // Of its own, so that a probe never waits behind requests.
  const prober = new Pool(place.origin, { connections: 1, connect, keepAliveTimeout: idleMs })
  const health = createHealth(limits, clock)
  let isProbing = false

  async function probe(): Promise<void> {
    if (isProbing) return
    isProbing = true
    try {
      const signal = AbortSignal.timeout(probeTimeoutMs)
      const { statusCode, body } = await prober.request({ method: 'GET', path: '/health/ready', signal })
      await body.dump()
      health.probed(statusCode === 200 ? 'up' : 'unready')
    } catch (error) {
      health.probed(isUnreachable(error) ? 'down' : 'silent')
    } finally {
      isProbing = false
    }
  }

  return {
    name: nameOf(place),
    place,
    health,
    pool,
    connect,
    running: { requests: 0, sockets: 0 },
    probe,
    close: async () => {
      await Promise.all([prober.destroy(), pool.close()])
    },
    destroy: async () => {
      await Promise.all([prober.destroy(), pool.destroy()])
    },
  }
}
