import { readFileSync } from 'node:fs'
import type { RedisValues } from './config.ts'

/** Where Redis is. */
export type RedisTarget = {
  readonly url: string
  /** Of the authorities that are believed, as PEM; without it those that the system knows. */
  readonly ca?: string
}

/**
 * What the options say; undefined when there is no Redis.
 *
 * @throws when the file of authorities cannot be read, or is for an address without TLS
 */
export function toRedisTarget({ url, ca }: RedisValues): RedisTarget | undefined {
  if (url === null) return undefined
  if (ca === null) return { url }
  if (!url.startsWith('rediss:'))
    throw new Error('PANDO_REDIS_CA is set, and PANDO_REDIS_URL is not for TLS: it has to begin with rediss://.')
  return { url, ca: readAuthorities(ca) }
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`PANDO_REDIS_CA: ${(cause as Error).message}`, { cause })
  }
}
