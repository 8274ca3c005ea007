import type { Credentials } from '@pando/core/authenticate'
import type { IncomingMessage } from 'node:http'

/** What a request shows of itself: the headers, and the query parameter `apikey` where a header cannot be set. */
export function credentialsOf(raw: IncomingMessage): Credentials {
  const { authorization, apikey } = raw.headers
  return { authorization, apikey: typeof apikey === 'string' ? apikey : apikeyInQuery(raw.url!) }
}

function apikeyInQuery(url: string): string | undefined {
  const start = url.indexOf('?')
  if (start === -1 || !url.includes('apikey=', start)) return undefined
  return new URLSearchParams(url.slice(start)).get('apikey') ?? undefined
}

/** A query string without the key, which says who calls and is no part of what is asked. */
export function withoutApikey(rawQuery: string): string {
  if (!rawQuery.includes('apikey=')) return rawQuery
  return rawQuery
    .split('&')
    .filter((parameter) => !parameter.startsWith('apikey='))
    .join('&')
}
