import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { defineConfig, type InlineConfig } from 'vite'

/** Where the API is, and the key of an app. */
type ApiAddress = { readonly url: string; readonly key: string }

/** The page of two phones, which talks to this API. */
export function configurePage({ url, key }: ApiAddress): InlineConfig {
  return {
    root: fileURLToPath(new URL('page', import.meta.url)),
    define: { 'import.meta.env.API_URL': JSON.stringify(url), 'import.meta.env.API_KEY': JSON.stringify(key) },
    server: { host: '127.0.0.1' },
  }
}

/** Of the project that `pando dev` runs here, running or not. */
function readStatus(): ApiAddress {
  const project = fileURLToPath(new URL('.', import.meta.url))
  const json = execFileSync('pando', ['status', '--json', '--project', project], { encoding: 'utf8' })
  const { API_URL: url, PUBLISHABLE_KEY: key } = JSON.parse(json) as { API_URL: string; PUBLISHABLE_KEY: string }
  return { url, key }
}

export default defineConfig(() => configurePage(readStatus()))
