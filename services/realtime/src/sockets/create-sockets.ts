import type { Credentials } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { Upgrade } from '@pando/http/upgrades'
import { setTimeout as sleep } from 'node:timers/promises'
import { Receiver } from 'ws'
import type { RealtimeOptions } from '../config.ts'
import { decodeMessage } from '../wire/decode.ts'
import type { ClientMessage, Version } from '../wire/messages.ts'
import { toPongFrame } from '../wire/websocket-frame.ts'
import { newAllowance } from './allowance.ts'
import { type Client, closeClient, sendFrame } from './client.ts'

export type SocketsDeps = {
  readonly options: RealtimeOptions
  readonly clock: Clock
  /** With the size of the whole message. */
  readonly onMessage: (client: Client, message: ClientMessage, bytes: number) => void
  /** May be called more than once. */
  readonly onGone: (client: Client) => void
  /** A frame that says nothing, or with which something went wrong here; its socket goes on. */
  readonly onMalformed: (error?: unknown) => void
}

type Opening = { readonly version: Version; readonly caller: Caller; readonly credentials: Credentials }

/** A limit that is reached: its name for programs, and for people. */
export type Full = {
  readonly code: 'ConnectionRateLimitReached' | 'UserConnectionRateLimitReached'
  readonly error: string
}

export type Sockets = {
  /** Takes over a socket that has just left HTTP. */
  open(upgrade: Upgrade, opening: Opening): void
  /** Why this caller may not open another; undefined when they may. */
  whyFull(caller: Caller): Full | undefined
  count(): number
  /** Closes those that have said nothing for too long, and ends those whose other side does not close. */
  closeSilent(): void
  /** Closes all that are open now, evenly over `spreadMs`, so that they do not all come back at once. */
  closeAll(code: number, reason: string, spreadMs?: number): Promise<void>
}

const nodeFull: Full = { code: 'ConnectionRateLimitReached', error: 'Too many connected users' }
const userFull: Full = { code: 'UserConnectionRateLimitReached', error: 'Too many connections of this user' }

const goingAway = 1001
/** How long the other side may take to close. */
const closeMsMax = 5_000
/** Between two groups of those that are closed spread over time. */
const closeStepMs = 50
/** A message may come in this many fragments, and in so many pieces of the network: each costs memory of its own. */
const fragmentsMax = 1_024
const piecesMax = 16_384

export function createSockets(deps: SocketsDeps): Sockets {
  const { options, clock } = deps
  const clients = new Set<Client>()
  const perUser = new Map<string, number>()

  function open({ socket, head }: Upgrade, { version, caller, credentials }: Opening): void {
    // It went away while it was found out who it is.
    if (socket.destroyed) return
    const nowMs = clock.monotonic()
    const client: Client = {
      socket,
      version,
      caller,
      credentials,
      members: new Map(),
      joins: newAllowance(options.joinsPerSecondMax, nowMs),
      messages: newAllowance(options.messagesPerSecondMax, nowMs),
      queueBytesMax: options.queueBytesMax,
      answersBytes: 0,
      heardMs: nowMs,
      closingMs: undefined,
    }
    clients.add(client)
    countUser(caller, 1)
    socket.setNoDelay(true)
    socket.setTimeout(0)
    // Each channel may wait until it has drained.
    socket.setMaxListeners(0)
    receive(client)
    socket.once('close', () => {
      clients.delete(client)
      countUser(caller, -1)
      deps.onGone(client)
    })
    if (head.length > 0) socket.unshift(head)
  }

  function receive(client: Client): void {
    const { socket } = client
    const receiver = new Receiver({
      isServer: true,
      maxPayload: options.messageBytesMax,
      maxFragments: fragmentsMax,
      maxBufferedChunks: piecesMax,
    })
    receiver.on('message', (data: Buffer, isBinary: boolean) => hear(client, data, isBinary))
    receiver.on('ping', (data: Buffer) => {
      client.heardMs = clock.monotonic()
      sendFrame(client, toPongFrame(data))
    })
    receiver.on('conclude', (code: number) => end(client, code === 1005 ? 1000 : code, ''))
    receiver.on('error', (error: Error) => end(client, closeCodeOf(error), error.message))
    socket.on('data', (chunk: Buffer) => void receiver.write(chunk))
    socket.on('end', () => socket.end())
    socket.resume()
  }

  /** Whoever is on the way out is not heard any more. */
  function hear(client: Client, data: Buffer, isBinary: boolean): void {
    if (!client.socket.writable) return
    client.heardMs = clock.monotonic()
    try {
      const message = decodeMessage(client.version, data, isBinary)
      if (message === undefined) deps.onMalformed()
      else deps.onMessage(client, message, data.length)
    } catch (error) {
      deps.onMalformed(error)
    }
  }

  /** It is gone for all others at once, however long its network takes. */
  function end(client: Client, code: number, reason: string): void {
    closeClient(client, code, reason)
    deps.onGone(client)
  }

  /** Ends what has been closing for too long; what waits on it is lost. */
  function mustClose(client: Client, nowMs: number): void {
    client.closingMs ??= nowMs
    if (nowMs - client.closingMs >= closeMsMax) client.socket.destroy()
  }

  function countUser({ claims: { sub } }: Caller, change: 1 | -1): void {
    if (sub === undefined) return
    const count = (perUser.get(sub) ?? 0) + change
    if (count === 0) perUser.delete(sub)
    else perUser.set(sub, count)
  }

  return {
    open,
    whyFull: ({ claims: { sub } }) => {
      if (clients.size >= options.socketsMax) return nodeFull
      const own = sub === undefined ? 0 : (perUser.get(sub) ?? 0)
      return own >= options.socketsPerUserMax ? userFull : undefined
    },
    count: () => clients.size,
    closeSilent: () => {
      const nowMs = clock.monotonic()
      for (const client of clients) {
        if (!client.socket.writable) mustClose(client, nowMs)
        else if (nowMs - client.heardMs > options.heartbeatTimeout) end(client, goingAway, 'no heartbeat')
      }
    },
    closeAll: async (code, reason, spreadMs = 0) => {
      const all = [...clients]
      const each = Math.ceil(all.length / Math.max(1, spreadMs / closeStepMs))
      for (let at = 0; at < all.length; at += each) {
        if (at > 0) await sleep(closeStepMs)
        for (const client of all.slice(at, at + each)) end(client, code, reason)
      }
    },
  }
}

/** Of errors of the receiver: RFC 6455 §7.4.1; whatever else is wrong is a breach of the protocol. */
const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
}
const protocolError = 1002

const closeCodeOf = ({ code = '' }: Error & { code?: string }): number => closeCodes[code] ?? protocolError
