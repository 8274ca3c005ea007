import { postForm, type TextProvider, TextNotTaken } from './provider.ts'

export type Textlocal = {
  readonly sender: string
  readonly apiKey: string
  readonly apiUrl: string | null
  readonly timeoutMs: number
}

type Answer = {
  readonly status?: string
  readonly errors?: readonly { readonly code: number; readonly message: string }[]
  readonly messages?: readonly { readonly id: string | number }[]
}

/** Numbers that it cannot send to; other codes are about the account (https://api.textlocal.in/docs/sendsms). */
const numberCodes: ReadonlySet<number> = new Set([4, 5, 6, 33, 51, 192])

/** Answers with status 200 also when it refuses. */
export function createTextlocal({ sender, apiKey, apiUrl, timeoutMs }: Textlocal): TextProvider {
  return {
    channels: ['sms'],
    async send({ phone, text }) {
      const answer = await postForm({
        url: `${apiUrl ?? 'https://api.textlocal.in'}/send`,
        fields: { sender, apikey: apiKey, message: text, numbers: phone },
        timeoutMs,
      })
      const { status, errors: refusals, messages } = answer.body as Answer
      if (status === 'success') return { id: messages?.[0] === undefined ? undefined : String(messages[0].id) }
      const [first] = refusals ?? []
      const reason = first === undefined ? `status ${answer.status}` : `${first.message} (${first.code})`
      throw new TextNotTaken(`Textlocal says ${reason}`, {
        isOurs: first === undefined || !numberCodes.has(first.code),
      })
    },
  }
}
