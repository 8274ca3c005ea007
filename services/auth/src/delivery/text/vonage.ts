import { postForm, type TextProvider, TextNotTaken } from './provider.ts'

export type Vonage = {
  readonly from: string
  readonly apiKey: string
  readonly apiSecret: string
  readonly apiUrl: string | null
  readonly timeoutMs: number
}

type Answer = {
  readonly messages?: readonly {
    readonly status: string
    readonly 'message-id'?: string
    readonly 'error-text'?: string
  }[]
}

/**
 * Statuses that are about the number or its network; others are about the account
 * (https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms).
 */
const numberStatuses: ReadonlySet<string> = new Set(['3', '6', '7', '13', '33'])

/** Answers with status 200 also when it refuses; '0' is yes. */
export function createVonage({ from, apiKey, apiSecret, apiUrl, timeoutMs }: Vonage): TextProvider {
  return {
    channels: ['sms'],
    async send({ phone, text }) {
      // oxlint-disable-next-line no-control-regex
      const isAscii = /^[\u0000-\u007f]*$/.test(text)
      const { status: httpStatus, body } = await postForm({
        url: `${apiUrl ?? 'https://rest.nexmo.com'}/sms/json`,
        fields: {
          from,
          to: phone,
          text,
          api_key: apiKey,
          api_secret: apiSecret,
          ...(isAscii ? {} : { type: 'unicode' }),
        },
        timeoutMs,
      })
      const [first] = (body as Answer).messages ?? []
      if (first?.status === '0') return { id: first['message-id'] }
      const reason = first === undefined ? `status ${httpStatus}` : `${first['error-text']} (${first.status})`
      throw new TextNotTaken(`Vonage says ${reason}`, { isOurs: !numberStatuses.has(first?.status ?? '') })
    },
  }
}
