import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { Upgrade } from '@pando/http/upgrades'
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
  readonly onMessage: (client: Client, message: ClientMessage) => void
  readonly onGone: (client: Client) => void
  /** A frame that says nothing; its socket goes on. */
  readonly onMalformed: () => void
}

export type Sockets = {
  /** Takes over a socket that has just left HTTP. */
  open(upgrade: Upgrade, opening: { readonly version: Version; readonly caller: Caller }): void
  /** Why this caller may not open another; undefined when they may. */
  whyFull(caller: Caller): string | undefined
  count(): number
  /** Closes those that have said nothing for too long. */
  closeSilent(): void
  /** Asks all to come back later, and then ends them. */
  closeAll(code: number, reason: string): void
}

const goingAway = 1001

export function createSockets(deps: SocketsDeps): Sockets {
  const { options, clock } = deps
  const clients = new Set<Client>()
  const perUser = new Map<string, number>()

  function open({ socket, head }: Upgrade, { version, caller }: { version: Version; caller: Caller }): void {
    const nowMs = clock.monotonic()
    const client: Client = {
      socket,
      version,
      caller,
      members: new Map(),
      joins: newAllowance(options.joinsPerSecondMax, nowMs),
      messages: newAllowance(options.messagesPerSecondMax, nowMs),
      heardMs: nowMs,
    }
    clients.add(client)
    countUser(caller, 1)
    socket.setNoDelay(true)
    socket.setTimeout(0)
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
    const receiver = new Receiver({ isServer: true, maxPayload: options.messageBytesMax, skipUTF8Validation: false })
    receiver.on('message', (data: Buffer, isBinary: boolean) => {
      client.heardMs = clock.monotonic()
      const message = decodeMessage(client.version, data, isBinary)
      if (message === undefined) deps.onMalformed()
      else deps.onMessage(client, message)
    })
    receiver.on('ping', (data: Buffer) => {
      client.heardMs = clock.monotonic()
      sendFrame(client, toPongFrame(data), options.queueBytesMax)
    })
    receiver.on('conclude', (code: number) => closeClient(client, code === 1005 ? 1000 : code, ''))
    receiver.on('error', (error: Error) => closeClient(client, closeCodeOf(error), error.message))
    socket.on('data', (chunk: Buffer) => void receiver.write(chunk))
    socket.on('end', () => socket.end())
    socket.resume()
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
      if (clients.size >= options.socketsMax) return 'Too many connected users'
      const own = sub === undefined ? 0 : (perUser.get(sub) ?? 0)
      return own >= options.socketsPerUserMax ? 'Too many connections of this user' : undefined
    },
    count: () => clients.size,
    closeSilent: () => {
      const oldestMs = clock.monotonic() - options.heartbeatTimeout
      for (const client of clients) {
        if (client.heardMs < oldestMs) closeClient(client, goingAway, 'no heartbeat')
      }
    },
    closeAll: (code, reason) => {
      for (const client of clients) closeClient(client, code, reason)
    },
  }
}

/** Of an error of the receiver: RFC 6455 §7.4.1. */
function closeCodeOf({ code }: Error & { code?: string }): number {
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 1009
  return code === 'WS_ERR_INVALID_UTF8' ? 1007 : 1002
}
