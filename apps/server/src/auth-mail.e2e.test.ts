import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { freePort } from '@pando/postgres/testing/free-port'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ask, startApi, type Api } from './testing/start-api.ts'
import { startSmtpPeer, type SmtpPeer } from './testing/smtp-peer.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function peerWith(options: Parameters<typeof startSmtpPeer>[0]): Promise<SmtpPeer> {
  const peer = await startSmtpPeer(options)
  stops.push(() => peer.close())
  return peer
}

async function apiWith(port: number, environment: Record<string, string> = {}): Promise<Api> {
  const api = await startApi({
    sql: '',
    mailbox: false,
    environment: {
      PANDO_AUTH_SMTP_HOST: 'localhost',
      PANDO_AUTH_SMTP_PORT: String(port),
      PANDO_AUTH_SMTP_ADMIN_EMAIL: 'post@roam.example',
      PANDO_AUTH_SMTP_SENDER_NAME: 'Roam, the "travel" app',
      PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true',
      PANDO_AUTH_SITE_URL: 'https://roam.example',
      PANDO_LOG_LEVEL: 'silent',
      ...environment,
    },
  })
  stops.push(() => api.stop())
  return api
}

const newAccount = (email: string, data = {}) => ({ email, password: 'correct horse battery', options: { data } })
const asAdmin = ({ keys, client }: Api) => client(keys.serviceRoleKey).auth.admin

test('a new account gets one mail, whose link opens it', async () => {
  const peer = await peerWith({})
  const api = await apiWith(peer.port)
  const arriving = peer.next()
  const { error } = await api.client().auth.signUp(newAccount('ada@example.com', { locale: 'de' }))
  expect(error).toBeNull()
  const mail = await arriving
  expect(mail).toMatchObject({ from: 'post@roam.example', to: ['ada@example.com'], secure: false })
  expect(mail.headers.get('subject')).toEqual(['=?UTF-8?Q?Best=C3=A4tige_deine_Adresse?='])
  expect(mail.headers.get('from')).toEqual([String.raw`"Roam, the \"travel\" app" <post@roam.example>`])
  expect(mail.headers.get('auto-submitted')).toEqual(['auto-generated'])
  expect(mail.headers.get('message-id')![0]).toMatch(/^<[0-9a-f]{32}@roam\.example>$/)
  const link = /^http:\/\/\S+\/auth\/v1\/verify\S+$/m.exec(mail.text)![0]
  const { status, headers } = await ask(link)
  expect(status).toBe(303)
  expect(headers.get('location')).toContain('https://roam.example')
  expect(peer.mails).toHaveLength(1)
})

test('nothing that people write can become a header or a second recipient', async () => {
  const peer = await peerWith({})
  const folder = mkdtempSync(join(tmpdir(), 'pando-mail-'))
  stops.push(async () => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'invite.html'), '<p title="{{ .Data.name }}">Hello {{ .Data.name }}</p>')
  const api = await apiWith(peer.port, {
    PANDO_AUTH_EMAIL_TEMPLATE_FOLDERS: folder,
    PANDO_AUTH_EMAIL_TEMPLATE_INVITE_CONTENT_PATH: './invite.html',
    PANDO_AUTH_EMAIL_TEMPLATE_INVITE_SUBJECT: 'Hello {{ .Data.name }}',
  })
  const name = '"><img src=x onerror=alert(1)>\r\nBcc: everybody@example.com\r\n\r\n<h1>'
  await asAdmin(api).inviteUserByEmail('guest@example.com', { data: { name } })
  const [mail] = peer.mails
  expect(mail!.to).toEqual(['guest@example.com'])
  expect(mail!.headers.has('bcc')).toBe(false)
  expect(mail!.text.split('text/html')[1]).not.toMatch(/<img|<h1/)
  expect(mail!.text).toContain('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')
  for (const email of ['a@example.com,b@example.com', 'a@example.com\r\nBcc: b@example.com', '<a@example.com>']) {
    const { error } = await asAdmin(api).inviteUserByEmail(email)
    expect(error).toMatchObject({ status: 400 })
  }
  expect(peer.mails).toHaveLength(1)
})

test('an admin hears that the mail server does not take an address', async () => {
  const peer = await peerWith({ refuse: (address) => (address.startsWith('nobody') ? 550 : undefined) })
  const api = await apiWith(peer.port)
  const { error } = await asAdmin(api).inviteUserByEmail('nobody@example.com')
  expect(error).toMatchObject({ code: 'email_address_invalid', message: expect.stringContaining('nobody@example.com') })
})

test('an admin does not wait for ever for a mail server that says nothing', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  stops.push(async () => void silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const api = await apiWith(port, { PANDO_AUTH_SMTP_HOST: '127.0.0.1', PANDO_AUTH_SMTP_TIMEOUT: '300ms' })
  const { error } = await asAdmin(api).inviteUserByEmail('guest@example.com')
  expect(error).toMatchObject({ status: 500, message: 'Error sending invite email' })
})

test('without a mail server an admin hears of it, and a stranger learns nothing', async () => {
  const api = await apiWith(await freePort(), { PANDO_AUTH_SMTP_PATIENCE: '0' })
  const { error } = await asAdmin(api).inviteUserByEmail('guest@example.com')
  expect(error).toMatchObject({ status: 500, message: 'Error sending invite email' })
  const known = await api.client().auth.resetPasswordForEmail('guest@example.com')
  const unknown = await api.client().auth.resetPasswordForEmail('stranger@example.com')
  expect(known).toEqual(unknown)
})

test('a mail that the server put off is sent as soon as it can be', async () => {
  const port = await freePort()
  const api = await apiWith(port)
  await api.client().auth.signUp(newAccount('patient@example.com'))
  const peer = await peerWith({ port })
  expect(await peer.next()).toMatchObject({ to: ['patient@example.com'] })
})

test('an installation that can send nothing says which option it lacks', async () => {
  const api = await startApi({ sql: '', mailbox: false, environment: { PANDO_LOG_LEVEL: 'silent' } })
  stops.push(() => api.stop())
  const { error } = await asAdmin(api).inviteUserByEmail('guest@example.com')
  expect(error?.message).toContain('PANDO_AUTH_SMTP_HOST')
  await asAdmin(api).createUser({ email: 'known@example.com', email_confirm: true })
  const [known, unknown] = await Promise.all(
    ['known', 'unknown'].map((name) => api.client().auth.resetPasswordForEmail(`${name}@example.com`)),
  )
  expect(known).toEqual(unknown)
  expect(known!.error?.message).toContain('PANDO_AUTH_SMTP_HOST')
  expect((await ask(`${api.url}/mailbox/messages`)).status).toBe(404)
})

test.each([
  [{ PANDO_AUTH_SMTP_ADMIN_EMAIL: '' }, 'PANDO_AUTH_SMTP_ADMIN_EMAIL'],
  [{ PANDO_AUTH_EMAIL_TEMPLATE_INVITE_CONTENT_PATH: './none.html' }, './none.html is not there'],
  [{ PANDO_AUTH_EMAIL_TEMPLATE_INVITE_SUBJECT: '{{ if .Data }}' }, 'subject of invite:1'],
  [{ PANDO_AUTH_SMS_TEMPLATE: '{{ .Token }}' }, '[auth.sms] template:1'],
])('a node with %j does not start', async (environment, message) => {
  await expect(apiWith(25, environment)).rejects.toThrow(message)
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!hasOpenssl)('with TLS', () => {
  const before = getCACertificates('default')
  let certificate: { key: string; cert: string }

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'pando-smtp-'))
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    const files = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', 'key.pem', '-out', 'cert.pem']
    spawnSync('openssl', [...request, ...files], { cwd: folder })
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file), 'utf8'))
    certificate = { key: key!, cert: cert! }
    rmSync(folder, { recursive: true })
  })
  afterAll(() => setDefaultCACertificates(before))

  test('login and mail come after STARTTLS', async () => {
    setDefaultCACertificates([...before, certificate.cert])
    const login = { user: 'roam', pass: 'p:ä ss' }
    const peer = await peerWith({ certificate, login })
    const api = await apiWith(peer.port, { PANDO_AUTH_SMTP_USER: login.user, PANDO_AUTH_SMTP_PASS: login.pass })
    await asAdmin(api).inviteUserByEmail('guest@example.com')
    expect(peer.mails).toMatchObject([{ secure: true, user: 'roam', to: ['guest@example.com'] }])
  })

  test('a certificate of a stranger gets neither password nor mail', async () => {
    setDefaultCACertificates(before)
    const peer = await peerWith({ certificate, login: { user: 'roam', pass: 'secret' } })
    const api = await apiWith(peer.port, { PANDO_AUTH_SMTP_USER: 'roam', PANDO_AUTH_SMTP_PASS: 'secret' })
    const { error } = await asAdmin(api).inviteUserByEmail('guest@example.com')
    expect(error).toMatchObject({ message: 'Error sending invite email' })
    expect(peer.mails).toEqual([])
  })
})
