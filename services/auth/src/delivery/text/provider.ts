import type { TextMessage, TextReceipt } from '../../messages.ts'

/** A text message in words. */
export type OutgoingText = Pick<TextMessage, 'phone' | 'code' | 'channel'> & { readonly text: string }

/** Somebody who brings text messages to phones. */
export type TextProvider = {
  readonly channels: readonly TextMessage['channel'][]
  /** Resolves when the provider has taken the message. @throws TextNotTaken */
  readonly send: (message: OutgoingText) => Promise<TextReceipt>
  /** Only of a provider that makes the codes itself. */
  readonly verify?: (phone: string, code: string) => Promise<boolean>
}

/**
 * What the provider said instead of taking a message. `isOurs` is about our account and nothing for the person to read.
 */
export class TextNotTaken extends Error {
  readonly isOurs: boolean

  constructor(reason: string, { isOurs = false, cause }: { isOurs?: boolean; cause?: unknown } = {}) {
    super(reason, { cause })
    this.name = 'TextNotTaken'
    this.isOurs = isOurs
  }
}

export type ProviderAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

type Form = {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/**
 * Sends a form, as all of these APIs want it, and reads their JSON. @throws TextNotTaken when nothing useful comes back
 */
export async function postForm({ url, fields, headers = {}, timeoutMs }: Form): Promise<ProviderAnswer> {
  let response: Response
  try {
    const body = new URLSearchParams(fields)
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    })
    const text = await response.text()
    return { status: response.status, body: parseObject(text) }
  } catch (error) {
    throw new TextNotTaken('the provider of text messages does not answer', { isOurs: true, cause: error })
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Of the `Authorization` header (RFC 7617). */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
