import { type Client, sendText } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import type { Member } from './member.ts'

/** Answers a message with `ok` or `error`. */
export function reply(client: Client, message: ClientMessage, status: 'ok' | 'error', response: object = {}): void {
  answer(client, message, JSON.stringify({ status, response }))
}

/** Answers a message with what is JSON already. */
export function answer(client: Client, { joinRef, ref, topic }: ClientMessage, json: string): void {
  sendText(client, { joinRef, ref, topic, event: 'phx_reply' }, json)
}

export const refuse = (client: Client, message: ClientMessage, reason: string): void =>
  reply(client, message, 'error', { reason })

export type Extension = 'system' | 'postgres_changes' | 'document'

type SystemMessage = {
  readonly extension: Extension
  readonly status: 'ok' | 'error'
  readonly message: string
}

/** What the server has to say about a channel. */
export function tellSystem(
  { client, address, joinRef, topic }: Member,
  { extension, status, message }: SystemMessage,
): void {
  const payload = { extension, status, message, channel: topic.name }
  sendText(client, { joinRef, topic: address, event: 'system' }, JSON.stringify(payload))
}

/** The client takes the channel for left. */
export function tellClosed({ client, address, joinRef }: Member): void {
  sendText(client, { joinRef, ref: joinRef, topic: address, event: 'phx_close' }, '{}')
}
