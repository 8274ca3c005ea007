import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readConfiguration } from '@pando/config/read-configuration'
import { afterEach, expect, test } from 'vitest'
import { authOptions } from '../../config.ts'
import { chooseTextProvider } from './choose-provider.ts'
import { TextNotTaken } from './provider.ts'

/** What a provider got, and a server that answers like one. */
type Got = {
  readonly path: string
  readonly authorization: string | undefined
  readonly fields: Record<string, string>
}
const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

async function startProvider(status: number, body: unknown): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const fields = Object.fromEntries(new URLSearchParams(await readBody(request)))
    got.push({ path: request.url!, authorization: request.headers.authorization, fields })
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

function providerOf(sms: Record<string, unknown>, url?: string) {
  const environment = url === undefined ? {} : { PANDO_AUTH_SMS_API_URL: url }
  return chooseTextProvider(readConfiguration({ auth: authOptions }, { project: { auth: { sms } }, environment }).auth)
}

const settings = {
  twilio: { enabled: true, account_sid: 'AC1', message_service_sid: `MG${'0'.repeat(32)}`, auth_token: 'token' },
  twilio_verify: { enabled: true, account_sid: 'AC1', message_service_sid: 'VA1', auth_token: 'token' },
  messagebird: { enabled: true, originator: 'Roam', access_key: 'key' },
  textlocal: { enabled: true, sender: 'ROAM', api_key: 'key' },
  vonage: { enabled: true, from: 'Roam', api_key: 'key', api_secret: 'secret' },
}
const basic = `Basic ${Buffer.from('AC1:token').toString('base64')}`
const message = { phone: '15550100', code: '123456', channel: 'sms', text: 'Your code is 123456' } as const

const taken = {
  twilio: [201, { sid: 'SM1', status: 'queued', error_code: null }, 'SM1'],
  twilio_verify: [201, { sid: 'VE1', status: 'pending' }, 'VE1'],
  messagebird: [201, { id: 'mb1', recipients: { totalSentCount: 1 } }, 'mb1'],
  textlocal: [200, { status: 'success', messages: [{ id: '71', recipient: 15550100 }] }, '71'],
  vonage: [200, { 'message-count': '1', messages: [{ status: '0', 'message-id': 'v1' }] }, 'v1'],
} as const

const requests = {
  twilio: {
    path: '/2010-04-01/Accounts/AC1/Messages.json',
    authorization: basic,
    fields: { To: '+15550100', MessagingServiceSid: `MG${'0'.repeat(32)}`, Body: message.text },
  },
  twilio_verify: {
    path: '/v2/Services/VA1/Verifications',
    authorization: basic,
    fields: { To: '+15550100', Channel: 'sms' },
  },
  messagebird: {
    path: '/messages',
    authorization: 'AccessKey key',
    fields: { originator: 'Roam', body: message.text, recipients: '15550100', type: 'sms', datacoding: 'unicode' },
  },
  textlocal: {
    path: '/send',
    authorization: undefined,
    fields: { sender: 'ROAM', apikey: 'key', message: message.text, numbers: '15550100' },
  },
  vonage: {
    path: '/sms/json',
    authorization: undefined,
    fields: { from: 'Roam', to: '15550100', text: message.text, api_key: 'key', api_secret: 'secret' },
  },
} as const

const names = Object.keys(settings) as (keyof typeof settings)[]

test.each(names)('%s gets its own request and names the message', async (name) => {
  const [status, body, id] = taken[name]
  const { url, got } = await startProvider(status, body)
  expect(await providerOf({ [name]: settings[name] }, url)!.send(message)).toEqual({ id })
  expect(got).toEqual([requests[name]])
})

test.each([
  ['twilio', 400, { code: 21_211, message: "The 'To' number is not valid.", status: 400 }, /not valid.*21211/, false],
  ['twilio', 401, { code: 20_003, message: 'Authenticate', status: 401 }, /Authenticate/, true],
  ['twilio', 201, { sid: 'S', status: 'failed', error_code: 30_006, error_message: 'Landline' }, /Landline/, false],
  ['twilio_verify', 400, { code: 60_200, message: 'Invalid parameter `To`' }, /Invalid parameter/, false],
  [
    'messagebird',
    422,
    { errors: [{ code: 9, description: 'no (correct) recipients found' }] },
    /recipients found/,
    false,
  ],
  ['messagebird', 401, { errors: [{ code: 2, description: 'Request not allowed' }] }, /not allowed/, true],
  ['messagebird', 201, { id: 'x', recipients: { totalSentCount: 0 } }, /nothing sent/, false],
  [
    'textlocal',
    200,
    { status: 'failure', errors: [{ code: 51, message: 'No valid numbers' }] },
    /No valid numbers/,
    false,
  ],
  ['textlocal', 200, { status: 'failure', errors: [{ code: 3, message: 'Invalid login' }] }, /Invalid login/, true],
  ['vonage', 200, { messages: [{ status: '4', 'error-text': 'Bad Credentials' }] }, /Bad Credentials/, true],
  ['vonage', 200, { messages: [{ status: '33', 'error-text': 'Number De-activated' }] }, /De-activated/, false],
  ['vonage', 500, 'no JSON object', /status 500/, true],
] as const)('the no of %s (%i) is told, and whose it is', async (name, status, body, reason, isOurs) => {
  const { url } = await startProvider(status, body)
  const refused = await providerOf({ [name]: settings[name] }, url)!
    .send(message)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(TextNotTaken)
  expect(refused).toMatchObject({ message: expect.stringMatching(reason), isOurs })
})

test('WhatsApp goes by its own names, and by an approved template where there is one', async () => {
  const { url, got } = await startProvider(...([201, { sid: 'SM1', status: 'queued' }] as const))
  const account = { ...settings.twilio, message_service_sid: '+1555' }
  await providerOf({ twilio: account }, url)!.send({ ...message, channel: 'whatsapp' })
  await providerOf({ twilio: { ...account, content_sid: 'HX1' } }, url)!.send({ ...message, channel: 'whatsapp' })
  expect(got.map(({ fields }) => fields)).toEqual([
    { To: 'whatsapp:+15550100', From: 'whatsapp:+1555', Body: message.text },
    { To: 'whatsapp:+15550100', From: 'whatsapp:+1555', ContentSid: 'HX1', ContentVariables: '{"1":"123456"}' },
  ])
})

test.each([
  [200, { status: 'approved', valid: true }, true],
  [200, { status: 'pending', valid: false }, false],
  [404, { code: 20_404, message: 'not found' }, false],
  [429, { code: 60_202, message: 'Max check attempts reached' }, false],
])('Twilio Verify checks the code: %i %j', async (status, body, valid) => {
  const { url, got } = await startProvider(status, body)
  const { verify } = providerOf({ twilio_verify: settings.twilio_verify }, url)!
  expect(await verify!('15550100', '123456')).toBe(valid)
  expect(got[0]).toMatchObject({
    path: '/v2/Services/VA1/VerificationCheck',
    fields: { To: '+15550100', Code: '123456' },
  })
})

test('a text beyond ASCII is sent as such by Vonage', async () => {
  const { url, got } = await startProvider(...([200, taken.vonage[1]] as const))
  await providerOf({ vonage: settings.vonage }, url)!.send({ ...message, text: '認証コードは 123456 です' })
  expect(got[0]!.fields).toMatchObject({ type: 'unicode', text: '認証コードは 123456 です' })
})

test('a provider that does not answer is our problem', async () => {
  const { url } = await startProvider(201, {})
  stops.splice(0).forEach((stop) => stop())
  await expect(providerOf({ twilio: settings.twilio }, url)!.send(message)).rejects.toMatchObject({ isOurs: true })
})

test('settings that cannot work are refused at start', () => {
  expect(providerOf({})).toBeUndefined()
  expect(() => providerOf({ twilio: { ...settings.twilio, auth_token: undefined } })).toThrow(/boo|auth_token/)
  expect(() => providerOf({ twilio: settings.twilio, vonage: settings.vonage })).toThrow(
    'twilio and vonage are enabled',
  )
  expect(() => providerOf({ vonage: { enabled: true, from: 'Roam' } })).toThrow('PANDO_AUTH_SMS_VONAGE_API_KEY')
})
