import type { Caller } from '@pando/core/caller'
import type { Socket } from 'node:net'
import type { Member } from '../channels/member.ts'
import { encodeText } from '../wire/encode.ts'
import type { Address, Version } from '../wire/messages.ts'
import { toCloseFrame, toFrame } from '../wire/websocket-frame.ts'
import type { Allowance } from './allowance.ts'

/** One socket: a phone, a tab, a server. Plain data, because there are many thousands. */
export type Client = {
  readonly socket: Socket
  readonly version: Version
  /** Who opened it; a channel may be joined with another token. */
  readonly caller: Caller
  /** By the topic as the client writes it. */
  readonly members: Map<string, Member>
  readonly joins: Allowance
  readonly messages: Allowance
  /** When it was last heard, on the monotonic clock. */
  heardMs: number
}

/** Sends a frame. Small answers are always taken; whoever fills the queue with them does not read, and is cut off. */
export function sendFrame({ socket }: Client, frame: Buffer, queueBytesMax = Infinity): void {
  if (!socket.writable) return
  socket.write(frame)
  if (socket.writableLength > queueBytesMax) socket.destroy()
}

export function sendText(client: Client, address: Address, json: string): void {
  sendFrame(client, toFrame(encodeText(client.version, address, json)))
}

/** Whether so much waits that the client is slower than what it follows. */
export const isBehind = ({ socket }: Client, queueBytesMax: number): boolean => socket.writableLength > queueBytesMax

/** Says why, and ends the socket after what is on its way. */
export function closeClient({ socket }: Client, code: number, reason: string): void {
  if (!socket.writable) return
  socket.end(toCloseFrame(code, reason))
}
