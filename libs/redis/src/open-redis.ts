import type { Cluster, Redis } from 'ioredis'
import type { RedisTarget } from './target.ts'

/** How a connection behaves. Times are milliseconds. */
export type RedisManners = {
  /** Shown by `client list`. */
  readonly name: string
  readonly connectMs: number
  /** Without an answer for this long the connection is given up. */
  readonly silenceMs: number
  /** The first pause after a failure, which doubles up to the second. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** Numbers in [0, 1) that spread the pauses. */
  readonly random: () => number
}

/** One connection, to be connected. Commands are tried once, and fail at once while it is away. */
export async function openRedis(target: RedisTarget, manners: RedisManners): Promise<Redis> {
  // The library comes with the first process that has a Redis.
  const { Redis } = await import('ioredis')
  return new Redis(target.url, {
    ...toOptions(target, manners),
    lazyConnect: true,
    protocol: 3,
    autoResubscribe: false,
    enableOfflineQueue: false,
    retryStrategy: toPause(manners),
  })
}

/** The same to all nodes of a cluster, of which the address is one. */
export async function openCluster(target: RedisTarget, manners: RedisManners): Promise<Cluster> {
  const { Cluster } = await import('ioredis')
  const { hostname, port, username, password, protocol } = new URL(target.url)
  const login = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  const isSecure = protocol === 'rediss:'
  return new Cluster([{ host: hostname, port: Number(port || 6379) }], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: toPause(manners),
    // Certificates are for names.
    ...(isSecure && { dnsLookup: (name, found) => found(null, name) }),
    redisOptions: { ...toOptions(target, manners), ...login, ...(isSecure && { tls: { ca: target.ca } }) },
  })
}

function toOptions({ ca }: RedisTarget, { name, connectMs, silenceMs }: RedisManners) {
  return {
    connectionName: name,
    connectTimeout: connectMs,
    socketTimeout: silenceMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    ...(ca !== undefined && { tls: { ca } }),
  }
}

const toPause =
  ({ retryMs, retryMsMax, random }: RedisManners) =>
  (failures: number): number =>
    Math.min(retryMsMax, retryMs * 2 ** Math.min(failures, 16)) * (0.5 + random() / 2)
