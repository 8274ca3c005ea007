import { createHmac } from 'node:crypto'

export type Message = { readonly id: string; readonly timestampS: number; readonly body: string }

/** The headers of a call: Standard Webhooks, symmetric signatures, one for each key. */
export function signWebhook({ id, timestampS, body }: Message, keys: readonly Buffer[]): Record<string, string> {
  const sign = (key: Buffer): string =>
    `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': keys.map(sign).join(' '),
  }
}
