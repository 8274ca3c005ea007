import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfiguration } from '@pando/config/read-configuration'
import { systemClock } from '@pando/core/clock'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { authOptions } from '../config.ts'
import type { Mail } from '../messages.ts'
import type { UserRow } from '../store/users.ts'
import { createDelivery } from './create-delivery.ts'
import type { DeliveryObservation } from './observation.ts'
import { createOutbox } from './outbox.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pando-templates-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** As a project with this `[auth]` in its `config.toml` has it. */
function deliveryOf(auth: Record<string, unknown> = {}, { hasOutbox = true } = {}) {
  const flags = { 'auth-email-template-folders': [root, join(root, 'supabase')] }
  const { auth: options } = readConfiguration({ auth: authOptions }, { project: { auth }, flags })
  const outbox = createOutbox({ clock: systemClock, messagesMax: 10 })
  const observed: DeliveryObservation[] = []
  const observe = (observation: DeliveryObservation): void => void observed.push(observation)
  const deps = { options, clock: systemClock, randomBytes, observe }
  return { delivery: createDelivery(hasOutbox ? { ...deps, outbox } : deps), outbox, observed }
}

const user = {
  id: 'a-user',
  email: 'ada@example.com',
  phone: '15550100',
  raw_user_meta_data: { first_name: 'Ada' } as Record<string, unknown>,
} as UserRow
const invite: Mail = {
  kind: 'invite',
  to: 'ada@example.com',
  user,
  code: '482915',
  tokenHash: 'a-hash',
  actionUrl: 'https://api.example/auth/v1/verify?token=a-hash&type=invite',
  redirectTo: 'https://app.example',
}
const text = { phone: '15550100', code: '482915', channel: 'sms', user } as const

test('without a mail server mails are kept, with what a person would type or tap', async () => {
  const { delivery, outbox } = deliveryOf()
  await delivery.sendMail({ ...invite, acceptLanguage: 'fr-CA,fr;q=0.9' })
  expect(outbox.list('ada@example.com')).toMatchObject([
    {
      channel: 'email',
      kind: 'invite',
      subject: 'Vous êtes invité à rejoindre 127.0.0.1:3000',
      code: '482915',
      tokenHash: 'a-hash',
      link: invite.actionUrl,
    },
  ])
  expect(outbox.list('somebody@example.com')).toEqual([])
})

test.each(['./supabase/templates/invite.html', './templates/invite.html'])(
  'a template is found as %s, from the root of a project or beside its config.toml',
  async (path) => {
    mkdirSync(join(root, 'supabase/templates'), { recursive: true })
    const names = ['ConfirmationURL', 'Token', 'TokenHash', 'SiteURL', 'Email', 'NewEmail', 'RedirectTo', 'Data']
    const template = names.map((name) => `{{ .${name} }}`).join('|')
    writeFileSync(join(root, 'supabase/templates/invite.html'), template)
    const { delivery, outbox } = deliveryOf({
      site_url: 'https://app.example',
      email: { template: { invite: { subject: 'Hi {{ .Data.first_name }}', content_path: path } } },
    })
    await delivery.sendMail(invite)
    const [mail] = outbox.list()
    expect(mail!.subject).toBe('Hi Ada')
    expect(mail!.text).toBe(
      `${invite.actionUrl}|482915|a-hash|https://app.example|ada@example.com||https://app.example|{"first_name":"Ada"}`,
    )
  },
)

test('a template with more than variables is refused with file and line', () => {
  writeFileSync(join(root, 'invite.html'), '<p>\n{{ if .Data.vip }}Sir{{ end }}\n</p>')
  const template = { invite: { content_path: './invite.html' } }
  expect(() => deliveryOf({ email: { template } })).toThrow('./invite.html:2: {{ if .Data.vip }} is no variable')
})

test('owners are told of changes, unless the project does not want that', () => {
  const notice = { kind: 'password_changed', to: 'ada@example.com', user } as const
  const told = deliveryOf()
  told.delivery.sendNotice(notice)
  expect(told.outbox.list()).toMatchObject([{ kind: 'password_changed', subject: 'Your password was changed' }])
  const untold = deliveryOf({ email: { notification: { password_changed: { enabled: false } } } })
  untold.delivery.sendNotice(notice)
  expect(untold.outbox.list()).toEqual([])
})

test('text messages are in the words of the project, else in the language of the person', async () => {
  const own = deliveryOf({
    sms: { template: 'Roam: {{ .Code }}' },
    mfa: { phone: { template: 'Second: {{ .Code }}' } },
  })
  await own.delivery.sendText(text)
  await own.delivery.sendText({ ...text, purpose: 'factor' })
  expect(own.outbox.list('15550100').map((message) => message.text)).toEqual(['Second: 482915', 'Roam: 482915'])
  const ours = deliveryOf()
  await ours.delivery.sendText({ ...text, user: { ...user, raw_user_meta_data: { locale: 'es-MX' } } })
  expect(ours.outbox.list()[0]!.text).toBe('Tu código es 482915')
})

test('where nobody delivers, messages are refused and notices are nothing', async () => {
  const { delivery, observed } = deliveryOf({}, { hasOutbox: false })
  await expect(delivery.sendMail(invite)).rejects.toThrow('PANDO_AUTH_SMTP_HOST')
  await expect(delivery.sendText(text)).rejects.toThrow('[auth.sms.…]')
  delivery.sendNotice({ kind: 'password_changed', to: 'ada@example.com', user })
  expect(observed).toEqual([])
})

test('WhatsApp needs a provider that knows it', async () => {
  const vonage = { enabled: true, from: 'Roam', api_key: 'key', api_secret: 'secret' }
  const { delivery } = deliveryOf({ sms: { vonage } })
  await expect(delivery.sendText({ ...text, channel: 'whatsapp' })).rejects.toMatchObject({ status: 400 })
})
