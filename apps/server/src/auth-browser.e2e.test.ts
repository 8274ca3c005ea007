import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from './testing/browse.ts'
import { executablePath, launchBrowser, startWebApp } from './testing/browser.ts'
import { type IdentityProvider, knownAs, startIdentityProvider } from './testing/identity-provider.ts'
import { type Api, startApi } from './testing/start-api.ts'

let app: Awaited<ReturnType<typeof startWebApp>>
let provider: IdentityProvider
let api: Api
let browser: Browser | undefined

beforeAll(async () => {
  app = await startWebApp()
  provider = await startIdentityProvider(() => `${api.url}/auth/v1/callback`)
  provider.people.set('ada', { sub: 'ada', email: 'ada@example.com', email_verified: true })
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_SITE_URL: app.origin,
      ...knownAs('google', provider.issuer),
    },
  })
  if (executablePath !== undefined) browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await api?.stop()
  await provider?.stop()
  await app?.stop()
})

type Sdk = {
  createClient(url: string, key: string, options: object): { auth: Record<string, (given?: object) => unknown> }
}

/** Runs the official client in the page; it finds what came back in the address by itself. */
function inPage(page: Page, method: 'signInWithOAuth' | 'getUser', flowType: 'pkce' | 'implicit'): Promise<unknown> {
  return page.evaluate(
    async ([url, key, called, flow]) => {
      const sdk = (globalThis as unknown as { supabase: Sdk }).supabase
      const client = sdk.createClient(url!, key!, { auth: { flowType: flow } })
      return client.auth[called!]!(called === 'getUser' ? undefined : { provider: 'google' })
    },
    [api.url, api.keys.anonKey, method, flowType],
  )
}

describe.skipIf(executablePath === undefined)('in a real browser', () => {
  test.each(['pkce', 'implicit'] as const)(
    'somebody presses a button at the provider and is back in the app, signed in (%s)',
    async (flowType) => {
      const page = await (await browser!.newContext()).newPage()
      await page.goto(app.origin)
      await inPage(page, 'signInWithOAuth', flowType)
      await page.fill('input[name=person]', 'ada')
      await page.click('button')
      await page.waitForURL((url) => url.origin === app.origin)
      const answer = await inPage(page, 'getUser', flowType)
      expect(answer).toMatchObject({
        data: { user: { email: 'ada@example.com', app_metadata: { provider: 'google' } } },
        error: null,
      })
    },
  )

  test('a return that somebody else began signs nobody in', async () => {
    const start = `${api.url}/auth/v1/authorize?provider=google&login_hint=ada`
    const stolen = await createBrowser().go(start, (url) => url.pathname === '/auth/v1/callback')
    const victim = await (await browser!.newContext()).newPage()
    await victim.goto(stolen.href)
    expect(new URL(victim.url()).searchParams.get('error_code')).toBe('bad_oauth_state')
    expect(victim.url()).not.toContain('access_token')
  })
})
