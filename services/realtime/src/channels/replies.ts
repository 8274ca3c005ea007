import { type Client, sendText } from '../sockets/client.ts'
import type { ClientMessage } from '../wire/messages.ts'
import type { Member } from './member.ts'

/** Answers a message with `ok` or `error`. */
export function reply(client: Client, message: ClientMessage, status: 'ok' | 'error', response: object = {}): void {
  const { joinRef, ref, topic } = message
  sendText(client, { joinRef, ref, topic, event: 'phx_reply' }, JSON.stringify({ status, response }))
}

export const refuse = (client: Client, message: ClientMessage, reason: string): void =>
  reply(client, message, 'error', { reason })

type SystemMessage = {
  readonly extension: 'system' | 'postgres_changes'
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
