import { basic, postForm, type OutgoingText, type ProviderAnswer, type TextProvider, TextNotTaken } from './provider.ts'

export type Twilio = {
  readonly accountSid: string
  /** A messaging service (`MG…`) or a number. */
  readonly sender: string
  readonly authToken: string
  /** An approved template for WhatsApp, whose variable 1 is the code. */
  readonly contentSid: string | null
  readonly apiUrl: string | null
  readonly timeoutMs: number
}

/** Programmable Messaging: https://www.twilio.com/docs/messaging/api/message-resource */
export function createTwilio(account: Twilio): TextProvider {
  const { accountSid, authToken, apiUrl, timeoutMs } = account
  const url = `${apiUrl ?? 'https://api.twilio.com'}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`
  const headers = { Authorization: basic(accountSid, authToken) }
  return {
    channels: ['sms', 'whatsapp'],
    async send(message) {
      const answer = await postForm({ url, headers, fields: toFields(account, message), timeoutMs })
      const { status, error_message, error_code, sid } = mustBeTaken(answer)
      if (status === 'failed' || status === 'undelivered')
        throw new TextNotTaken(`Twilio says ${String(error_message)} (${String(error_code)})`)
      return { id: String(sid) }
    },
  }
}

function toFields(
  { sender, contentSid }: Twilio,
  { phone, text, channel, code }: OutgoingText,
): Record<string, string> {
  if (channel === 'sms') return { To: `+${phone}`, ...toSender(sender), Body: text }
  const number = sender.replace(/^\+/, '')
  const from = /^[1-9]\d{1,14}$/.test(number) ? { From: `whatsapp:+${number}` } : toSender(sender)
  const content: Record<string, string> =
    contentSid === null ? { Body: text } : { ContentSid: contentSid, ContentVariables: JSON.stringify({ 1: code }) }
  return { To: `whatsapp:+${phone}`, ...from, ...content }
}

const toSender = (sender: string): Record<string, string> =>
  /^MG[0-9a-f]{32}$/i.test(sender) ? { MessagingServiceSid: sender } : { From: sender }

/** The answer's body. 401 and 403 are about the account, all else about the message. */
export function mustBeTaken({ status, body }: ProviderAnswer): Readonly<Record<string, unknown>> {
  if (status === 200 || status === 201) return body
  const reason = typeof body['message'] === 'string' ? body['message'] : `status ${status}`
  throw new TextNotTaken(`Twilio says ${reason} (${String(body['code'] ?? status)})`, {
    isOurs: status === 401 || status === 403 || status === 404 || status >= 500,
  })
}
