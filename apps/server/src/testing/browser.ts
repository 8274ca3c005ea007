import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

export const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
)
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync']

if (executablePath === undefined && process.env['CI'] !== undefined) {
  throw new Error('Passkeys are tested in Chromium: install the package chromium.')
}

export const launchBrowser = (): Promise<Browser> => chromium.launch({ executablePath: executablePath!, args })

/** A web app of somebody else's origin that has the official SDK, as `window.supabase`. */
export async function startWebApp(): Promise<{ readonly origin: string; readonly stop: () => Promise<void> }> {
  const require = createRequire(import.meta.url)
  const sdk = path.join(path.dirname(require.resolve('@supabase/supabase-js')), 'umd/supabase.js')
  const script = readFileSync(sdk)
  const server = createServer(({ url }, response) => {
    const isScript = url === '/supabase.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><title>app</title><script src="/supabase.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}

/**
 * A new page of the app, on a device with a virtual authenticator (Chrome DevTools Protocol, domain WebAuthn): built
 * in, or a key to be plugged in.
 */
export async function openWithAuthenticator(
  context: BrowserContext,
  { origin, transport }: { readonly origin: string; readonly transport: 'internal' | 'usb' },
): Promise<Page> {
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.goto(origin)
  return page
}
