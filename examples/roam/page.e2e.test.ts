import { rm } from 'node:fs/promises'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import type { Api } from '@pando/server/testing/start-api'
import { executablePath, launchBrowser } from '@pando/server/testing/browser'
import type { Browser, Locator, Page } from 'playwright-core'
import { build, preview, type PreviewServer } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPlaces } from './src/dataset.ts'
import { uploadBatches } from './src/upload-batches.ts'
import { connect, startRoam } from './testing/start-roam.ts'
import { configurePage } from './vite.config.ts'

/** Without a browser on the machine there is nothing to look with; CI always has one. */
describe.skipIf(executablePath === undefined)('the page of two phones', () => {
  let api: Api
  let browser: Browser
  let outDir: string
  let server: PreviewServer
  let page: Page
  let ada: Locator
  let bo: Locator
  const mistakes: string[] = []

  beforeAll(async () => {
    ;[api, browser, outDir] = await Promise.all([startRoam(), launchBrowser(), makeTemporaryFolder('pando-roam-')])
    const config = {
      ...configurePage({ url: api.url, key: api.keys.publishableKey }),
      configFile: false,
      logLevel: 'warn',
      build: { outDir, emptyOutDir: true },
      preview: { host: '127.0.0.1', port: 0 },
    } as const
    const loader = connect(api, api.keys.secretKey)
    await Promise.all([
      build(config),
      uploadBatches(readPlaces(), { send: (rows) => loader.from('places').upsert(rows), onSent: () => {} }),
    ])
    server = await preview(config)
    await openPage()
  })
  afterAll(async () => {
    await Promise.all([server?.close(), browser?.close()])
    await api?.stop()
    await rm(outDir, { recursive: true, force: true })
  })

  async function openPage(): Promise<void> {
    // Without movement, so that pictures show where everything ends up.
    page = await browser.newPage({ reducedMotion: 'reduce', viewport: { width: 1180, height: 1000 } })
    page.on('pageerror', (error) => mistakes.push(error.message))
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()))
    await page.goto(server.resolvedUrls!.local[0]!)
    ;[ada, bo] = ['Ada’s phone', 'Bo’s phone'].map((name) => page.getByRole('region', { name })) as [Locator, Locator]
    for (const phone of [ada, bo]) await phone.getByRole('button', { name: 'Connected' }).waitFor()
  }

  const say = async (phone: Locator, text: string): Promise<void> => {
    await phone.getByRole('textbox', { name: 'Say something' }).fill(text)
    await page.keyboard.press('Enter')
  }
  const entry = (phone: Locator, text: string): Locator =>
    phone.getByRole('log').locator('li:not(.waiting)', { hasText: text })
  const person = (phone: Locator, text: string): Locator =>
    phone.getByRole('list', { name: 'Who is on this trip' }).locator('li', { hasText: text })

  it('what one says, where one is and who is there shows on the other', async () => {
    await person(ada, 'Boonline').waitFor()
    await person(bo, 'Adaonline').waitFor()
    await say(ada, 'I see the Rockies already!')
    await entry(bo, 'I see the Rockies already!').waitFor()
    await say(bo, 'Wait for me in Denver?')
    await entry(ada, 'Wait for me in Denver?').waitFor()
    await ada.getByRole('slider').fill('0.62')
    await person(bo, '1,578 km to go').waitFor()
    await bo.getByRole('slider').focus()
    for (let step = 0; step < 4; step++) await page.keyboard.press('PageUp')
    await person(ada, '2,491 km to go').waitFor()
    expect(mistakes).toEqual([])
  })

  it('follows the light or dark of the system', async () => {
    const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const picture = process.env['ROAM_PICTURE']
    const grounds = new Set<unknown>()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      grounds.add(await ground())
      if (picture !== undefined) await page.screenshot({ path: `${picture}-${colorScheme}.png`, fullPage: true })
    }
    expect(grounds.size).toBe(2)
  })

  it('is all there on a narrow screen', async () => {
    await page.setViewportSize({ width: 360, height: 800 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    const picture = process.env['ROAM_PICTURE']
    if (picture !== undefined) await page.screenshot({ path: `${picture}-narrow.png`, fullPage: true })
    await page.setViewportSize({ width: 1180, height: 1000 })
  })

  it('a phone in a tunnel keeps what it says, and hears afterwards what it missed', async () => {
    await ada.getByRole('button', { name: 'Connected' }).click()
    await person(bo, 'Adaoffline').waitFor()
    await say(bo, 'Which platform?')
    await say(ada, 'Platform nine')
    await ada.locator('.waiting', { hasText: 'Platform nine' }).waitFor()
    await entry(bo, 'Which platform?').waitFor()
    expect(await entry(ada, 'Which platform?').count()).toBe(0)
    await ada.getByRole('button', { name: 'In a tunnel' }).click()
    await entry(ada, 'Which platform?').waitFor()
    await entry(bo, 'Platform nine').waitFor()
    await entry(ada, 'Platform nine').waitFor()
    expect(mistakes).toEqual([])
  })

  it('new dates show on both; who plans the trip sets them', async () => {
    expect(await ada.getByRole('button', { name: 'A day later' }).count()).toBe(0)
    await bo.getByRole('button', { name: 'A day later' }).click()
    for (const phone of [ada, bo]) await entry(phone, 'New dates: April 11 – 21').waitFor()
  })
})
