import { postForm, type TextProvider, TextNotTaken } from './provider.ts'

export type MessageBird = {
  readonly originator: string
  readonly accessKey: string
  readonly apiUrl: string | null
  readonly timeoutMs: number
}

type Answer = {
  readonly id?: string
  readonly recipients?: { readonly totalSentCount?: number }
  readonly errors?: readonly { readonly code: number; readonly description: string }[]
}

/** https://developers.messagebird.com/api/sms-messaging/ */
export function createMessageBird({ originator, accessKey, apiUrl, timeoutMs }: MessageBird): TextProvider {
  return {
    channels: ['sms'],
    async send({ phone, text }) {
      const { status, body } = await postForm({
        url: `${apiUrl ?? 'https://rest.messagebird.com'}/messages`,
        headers: { Authorization: `AccessKey ${accessKey}` },
        fields: { originator, body: text, recipients: phone, type: 'sms', datacoding: 'unicode' },
        timeoutMs,
      })
      const { id, recipients, errors: refusals } = body as Answer
      if (status < 300 && (recipients?.totalSentCount ?? 0) > 0) return { id }
      const [first] = refusals ?? []
      const reason = first === undefined ? `status ${status}, nothing sent` : `${first.description} (${first.code})`
      throw new TextNotTaken(`MessageBird says ${reason}`, { isOurs: status !== 422 && status >= 300 })
    },
  }
}
