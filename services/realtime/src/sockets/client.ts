import type { Credentials } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Socket } from 'node:net'
import type { Member } from '../channels/member.ts'
import { encodeText } from '../wire/encode.ts'
import type { Address, Version } from '../wire/messages.ts'
import { toCloseFrame, toFrame } from '../wire/websocket-frame.ts'
import type { Allowance } from './allowance.ts'
import { writeNow, writeThisTurn } from './write-this-turn.ts'

/** One socket: a phone, a tab, a server. Plain data, because there are many thousands. */
export type Client = {
  readonly socket: Socket
  readonly version: Version
  /** Who opened it, and what they showed; a channel may be joined with another token. */
  readonly caller: Caller
  readonly credentials: Credentials
  /** By the topic as the client writes it. */
  readonly members: Map<string, Member>
  readonly joins: Allowance
  readonly messages: Allowance
  /** With more than this waiting it is behind. */
  readonly queueBytesMax: number
  /** What was put on the queue while it was behind. */
  answersBytes: number
  /** When it was last heard, on the monotonic clock. */
  heardMs: number
  /** When it was found to be closing, on the same clock. */
  closingMs: number | undefined
}

/**
 * Sends a frame. What many get is not sent to whoever `isBehind`; answers are, until they fill another queue: who asks
 * on and on and does not read is cut off.
 */
export function sendFrame(client: Client, frame: Buffer): void {
  const { socket, queueBytesMax } = client
  if (!socket.writable) return
  client.answersBytes = isBehind(client) ? client.answersBytes + frame.length : 0
  if (client.answersBytes > queueBytesMax) socket.destroy()
  else writeThisTurn(socket, frame)
}

export function sendText(client: Client, address: Address, json: string): void {
  sendFrame(client, toFrame(encodeText(client.version, address, json)))
}

/** Whether so much waits that the client is slower than what it follows. */
export function isBehind({ socket, queueBytesMax }: Client): boolean {
  // What was gathered in this turn has not been tried yet: the network may take it all.
  if (socket.writableLength > queueBytesMax) writeNow(socket)
  return socket.writableLength > queueBytesMax
}

/** Calls back once, when a client that is behind has got everything that waits for it. */
export const whenDrained = ({ socket }: Client, callback: () => void): void => void socket.once('drain', callback)

/** Says why, and ends the socket after what is on its way. */
export function closeClient({ socket }: Client, code: number, reason: string): void {
  if (!socket.writable) return
  socket.end(toCloseFrame(code, reason))
}
