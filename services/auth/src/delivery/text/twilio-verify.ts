import { basic, postForm, type TextProvider } from './provider.ts'
import { mustBeTaken } from './twilio.ts'

export type TwilioVerify = {
  readonly accountSid: string
  readonly serviceSid: string
  readonly authToken: string
  readonly apiUrl: string | null
  readonly timeoutMs: number
}

/** Twilio makes, sends and checks the code: https://www.twilio.com/docs/verify/api/verification */
export function createTwilioVerify(account: TwilioVerify): TextProvider {
  const { accountSid, serviceSid, authToken, apiUrl, timeoutMs } = account
  const url = `${apiUrl ?? 'https://verify.twilio.com'}/v2/Services/${encodeURIComponent(serviceSid)}`
  const headers = { Authorization: basic(accountSid, authToken) }
  return {
    channels: ['sms', 'whatsapp'],
    async send({ phone, channel }) {
      const fields = { To: `+${phone}`, Channel: channel }
      const { sid } = mustBeTaken(await postForm({ url: `${url}/Verifications`, headers, fields, timeoutMs }))
      return { id: String(sid) }
    },
    async verify(phone, code) {
      const fields = { To: `+${phone}`, Code: code }
      const answer = await postForm({ url: `${url}/VerificationCheck`, headers, fields, timeoutMs })
      // A verification that was used, has expired or had too many tries is not there any more.
      if (answer.status === 404 || answer.status === 429) return false
      const { status, valid } = mustBeTaken(answer)
      return status === 'approved' && valid === true
    },
  }
}
