import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { overviewSchema } from '@pando/contract/overview'
import { compileOnce } from '@pando/http/shape'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { createFactories } from './factories.ts'
import { startServer, type RunningServer } from './start-server.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync']

if (executablePath === undefined && process.env['CI'] !== undefined) {
  throw new Error('The page is tested in Chromium: install the package chromium.')
}

let database: TestDatabase
let server: RunningServer
let browser: Browser | undefined

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `
      create table public.albums (id integer primary key);
      revoke all on public.albums from anon;
      insert into public.albums values (1);
      create table public.birds (id integer primary key, name text not null);
      alter table public.birds enable row level security;
      create policy "birds are public" on public.birds for select using (id <= 2);
      insert into public.birds values (1, 'Wren'), (2, 'Robin'), (3, 'Hidden heron');
    `,
  })
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: 'a-secret-of-these-tests-with-at-least-32-bytes',
      PANDO_JWT_PUBLISHABLE_KEY: 'sb_publishable_test_key',
      PANDO_SERVER_PORT: '0',
      PANDO_GATEWAY_METRICS_PUBLIC: 'true',
      PANDO_LOG_LEVEL: 'silent',
    },
  })
  const { apiUrl } = database
  const authUrl = database.urlAs('supabase_auth_admin')
  const realtimeUrl = database.urlAs('supabase_realtime_admin')
  const changesUrl = database.urlAs('supabase_replication_admin')
  const postgres = { apiUrl, listenUrl: apiUrl, authUrl, realtimeUrl, changesUrl, mode: 'pipelined' } as const
  const page = {
    project: 'aviary',
    url: () => server.url,
    anonKey: 'sb_publishable_test_key',
    addresses: () => [
      { name: 'API', value: server.url, secret: false },
      { name: 'service key', value: 'sb_secret_shown_when_asked', secret: true },
    ],
  }
  server = await startServer(config, createFactories(postgres, { page, mailbox: true }))
  if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args })
})

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await database?.close()
})

/** Without a browser on the machine there is nothing to look with; CI always has one. */
describe.skipIf(executablePath === undefined)('in a browser', () => {
  test('the page shows what runs, the tables, and rows as a stranger sees them', async () => {
    const page = await browser!.newPage()
    const mistakes: string[] = []
    page.on('pageerror', (error) => mistakes.push(error.message))
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()))
    await page.goto(server.url)

    await page.getByText('aviary').waitFor()
    for (const service of ['rest', 'auth', 'realtime', 'mailbox'])
      await page.locator('#services .ready', { hasText: service }).waitFor()
    await page.getByRole('button', { name: /^birds/ }).click()
    await page.getByRole('cell', { name: 'Wren' }).waitFor()
    expect(await page.locator('#rows tbody tr').count()).toBe(2)
    expect(mistakes).toEqual([])
    await page.close()
  })

  test('requests show in the live figures, and secrets only when asked for', async () => {
    const page = await browser!.newPage()
    const refused: string[] = []
    page.on('response', (answer) => answer.status() >= 400 && refused.push(answer.url()))
    await page.goto(server.url)
    await page.getByRole('button', { name: 'Send requests for five seconds' }).click()
    await page.locator('#rate', { hasText: /[1-9]/ }).waitFor()
    await page.locator('#p50', { hasText: 'ms' }).waitFor()
    expect(refused).toEqual([])
    expect(await page.content()).not.toContain('sb_secret_shown_when_asked')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('sb_secret_shown_when_asked').waitFor()
    await page.close()
  })

  test('the snippet of each SDK carries the address, the key and a table', async () => {
    const page = await browser!.newPage()
    await page.goto(server.url)
    for (const sdk of ['JavaScript', 'Swift', 'Kotlin', 'Flutter', 'Python', 'curl']) {
      await page.getByRole('tab', { name: sdk }).click()
      const snippet = await page.locator('#snippet').innerText()
      expect(snippet).toContain(server.url)
      expect(snippet).toContain('sb_publishable_test_key')
      expect(snippet).toContain('birds')
      const lines = snippet.split('\n').filter((line) => line !== '')
      expect(lines.filter((line) => !/^(\/\/|#)/.test(line)).length).toBeLessThanOrEqual(10)
      expect(lines.length).toBeLessThanOrEqual(13)
    }
    await page.close()
  })
})

async function snippetOf(sdk: string): Promise<string> {
  const { snippet } = (await import(new URL('../../dashboard/public/snippets.js', import.meta.url).href)) as {
    snippet: (sdk: string, project: object) => string
  }
  return snippet(sdk, { url: server.url, key: 'sb_publishable_test_key', table: 'birds' })
}

test('the snippet for curl works when pasted', async () => {
  const [, url, header] = /curl '([^']+)'[^]*-H 'apikey: ([^']+)'/.exec(await snippetOf('curl'))!
  const answer = await fetch(url!, { headers: { apikey: header! } })
  expect(await answer.json()).toEqual([
    { id: 1, name: 'Wren' },
    { id: 2, name: 'Robin' },
  ])
})

test('the snippet for JavaScript works when pasted', async () => {
  const options = { cwd: import.meta.dirname }
  const pasted = ['--input-type=module', '--eval', await snippetOf('JavaScript')]
  const { stdout } = await promisify(execFile)(process.execPath, pasted, options)
  expect(stdout).toMatch(/'Wren'[^]*'Robin'/)
})

test('the overview is what the contract says', async () => {
  const answer = await fetch(`${server.url}/admin/v1/overview`)
  const validator = await compileOnce(() => overviewSchema)()
  expect(validator.Errors(await answer.json())).toEqual([])
})

test('another web page cannot read the overview with its keys', async () => {
  const answer = await fetch(`${server.url}/admin/v1/overview`, { headers: { Origin: 'https://evil.example' } })
  expect(answer.status).toBe(403)
  expect(await answer.text()).not.toContain('sb_secret')
})
