import { createHash } from 'node:crypto'
import type { RedisClient } from './redis-link.ts'

/** Runs a script on one key, which decides the node of a cluster; in one trip but for the first time on each server. */
export type RunScript = (client: RedisClient, key: string, args: readonly (string | number)[]) => Promise<unknown>

export function createScript(lua: string): RunScript {
  const digest = createHash('sha1').update(lua).digest('hex')
  return async (client, key, args) => {
    try {
      return await client.evalsha(digest, 1, key, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return client.eval(lua, 1, key, ...args)
    }
  }
}
