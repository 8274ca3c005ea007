import type { ProjectKeys } from '@pando/http/auth/api-keys'
import type { TestDatabase } from '@pando/postgres/testing/database'
import type { PostgresAddresses } from '@pando/server/data-layer'
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

export type HeldServer = {
  readonly addresses: PostgresAddresses
  readonly environment: Readonly<Record<string, string>>
}

const program = path.join(import.meta.dirname, 'held-server.ts')

/** Starts a node in a process of its own, so that a test can kill that. */
export async function holdServer(
  { apiUrl, urlAs }: TestDatabase,
  keys: ProjectKeys,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const held: HeldServer = {
    addresses: {
      apiUrl,
      listenUrl: apiUrl,
      authUrl: urlAs('supabase_auth_admin'),
      realtimeUrl: urlAs('supabase_realtime_admin'),
      changesUrl: urlAs('supabase_replication_admin'),
      mode: 'pipelined',
    },
    environment: {
      PANDO_JWT_SECRET: keys.jwtSecret,
      PANDO_JWT_PUBLISHABLE_KEY: keys.publishableKey,
      PANDO_JWT_SECRET_KEY: keys.secretKey,
      PANDO_SERVER_PORT: '0',
      PANDO_LOG_LEVEL: 'error',
    },
  }
  const child = spawn(process.execPath, [program, JSON.stringify(held)], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const url of createInterface(child.stdout)) return { url, child }
  throw new Error('the node ended before it listened')
}
