import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { createFactories } from './factories.ts'
import { startServer, type RunningServer } from './start-server.ts'
import { executablePath, launchBrowser } from './testing/browser.ts'
import { ask } from './testing/start-api.ts'

const apikey = 'sb_publishable_test_key'
let database: TestDatabase
let server: RunningServer
let browser: Browser | undefined

beforeAll(async () => {
  database = await createTestDatabase()
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: 'a-secret-of-these-tests-with-at-least-32-bytes',
      PANDO_JWT_PUBLISHABLE_KEY: apikey,
      PANDO_SERVER_PORT: '0',
      PANDO_LOG_LEVEL: 'silent',
      PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true',
      PANDO_AUTH_PHONE_SIGNUP_ENABLED: 'true',
      PANDO_AUTH_SMTP_SENDER_NAME: 'Roam',
      PANDO_AUTH_MAILBOX_MESSAGES_MAX: '3',
      PANDO_AUTH_EMAIL_TEMPLATE_RECOVERY_SUBJECT: 'For {{ .Data.name }}',
    },
  })
  const { apiUrl } = database
  const postgres = {
    apiUrl,
    listenUrl: apiUrl,
    authUrl: database.urlAs('supabase_auth_admin'),
    realtimeUrl: database.urlAs('supabase_realtime_admin'),
    changesUrl: database.urlAs('supabase_replication_admin'),
    mode: 'pipelined',
  } as const
  const page = { project: 'aviary', url: () => server.url, anonKey: apikey, addresses: () => [] }
  server = await startServer(config, createFactories(postgres, { page, mailbox: true }))
  if (executablePath !== undefined) browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await database?.close()
})

const auth = (path: string, body: object) => ask(`${server.url}/auth/v1${path}`, { headers: { apikey }, body })
const signUp = (email: string, name = 'Ada') =>
  auth('/signup', { email, password: 'correct horse battery', data: { name } })

type Listed = { readonly id: string; readonly to: string; readonly code: string; readonly link: string }
const list = async (query = '') => (await ask(`${server.url}/mailbox/messages${query}`)).body as readonly Listed[]

/** Without a browser on the machine there is nothing to look with; CI always has one. */
describe.skipIf(executablePath === undefined)('in a browser', () => {
  async function openMailbox(): Promise<{ page: Page; mistakes: string[] }> {
    const page = await browser!.newPage()
    const mistakes: string[] = []
    page.on('pageerror', (error) => mistakes.push(error.message))
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()))
    await page.goto(server.url)
    await page.getByRole('button', { name: 'Mailbox' }).click()
    return { page, mistakes }
  }

  test('a mail appears with its code, its link and its look', async () => {
    const { page, mistakes } = await openMailbox()
    await page.getByText('Nothing yet').waitFor()
    await signUp('ada@example.com')
    await page.getByRole('button', { name: /^Confirm your address ada@example\.com/ }).waitFor()
    const [mail] = await list('?to=ada@example.com')
    expect(await page.locator('#message .code').innerText()).toBe(mail!.code)
    expect(await page.getByRole('button', { name: 'Open' }).getAttribute('href')).toBe(mail!.link)
    const button = page.frameLocator('iframe').getByRole('link', { name: 'Confirm address' })
    expect(await button.getAttribute('href')).toBe(mail!.link)
    await page.getByRole('tab', { name: 'Text' }).click()
    await page.getByText('Or enter this code in the app:').waitFor()
    expect(mistakes).toEqual([])
    await page.close()
  })

  test('the link of a mail opens beside the mailbox', async () => {
    const { page } = await openMailbox()
    await page.getByRole('button', { name: /ada@example\.com/ }).click()
    const [opened] = await Promise.all([
      page.waitForEvent('popup'),
      page.frameLocator('iframe').getByRole('link', { name: 'Confirm address' }).click(),
    ])
    await opened.waitForURL(/^http:\/\/127\.0\.0\.1:3000|chrome-error/)
    expect(page.url()).toBe(`${server.url}/mailbox`)
    await page.close()
  })

  test('what people write about themselves runs nowhere', async () => {
    const { page, mistakes } = await openMailbox()
    await signUp('mallory@example.com', '<img src=x onerror="parent.document.title=1"><script>alert(1)</script>')
    await auth('/recover', { email: 'mallory@example.com' })
    await page.getByRole('button', { name: /^For <img/ }).click()
    expect(await page.title()).toBe('Mailbox – Pando')
    expect(await page.locator('#messages img, #message img').count()).toBe(0)
    expect(mistakes).toEqual([])
    await page.close()
  })

  test('a text message shows as one, and the list can be emptied', async () => {
    await auth('/otp', { phone: '+15550100' })
    const { page } = await openMailbox()
    await page.getByRole('button', { name: /^Your code is \d{6}/ }).click()
    await page.getByRole('heading', { name: 'Text message' }).waitFor()
    await page.getByRole('button', { name: 'Empty' }).click()
    await page.getByText('Nothing yet').waitFor()
    expect(await list()).toEqual([])
    await page.close()
  })
})

test('the newest is first, and the oldest goes when there are too many', async () => {
  for (const name of ['one', 'two', 'three', 'four']) await signUp(`${name}@example.com`)
  expect((await list()).map(({ to }) => to)).toEqual(['four@example.com', 'three@example.com', 'two@example.com'])
  expect(await list('?to=three@example.com')).toHaveLength(1)
  expect(await list('?to=one@example.com')).toEqual([])
})

test.each([
  ['another site', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
  ['a page of another port', { Origin: 'http://127.0.0.1:1' }],
])('%s reads no mail', async (_, headers) => {
  for (const path of ['/messages', '/messages/1/html'])
    expect((await ask(`${server.url}/mailbox${path}`, { headers })).status).toBe(403)
  expect((await ask(`${server.url}/mailbox/messages`, { method: 'DELETE', headers })).status).toBe(403)
})

test('a mail is served so that it can do nothing', async () => {
  await signUp('sandbox@example.com')
  const [mail] = await list('?to=sandbox@example.com')
  const { headers } = await ask(`${server.url}/mailbox/messages/${mail!.id}/html`)
  expect(headers.get('content-security-policy')).toMatch(
    /^sandbox (?!.*allow-(scripts|same-origin)).*default-src 'none'/,
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect((await ask(`${server.url}/mailbox/messages/none/html`)).status).toBe(404)
})
