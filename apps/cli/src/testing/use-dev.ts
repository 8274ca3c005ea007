import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'
import { type DevEvent, type RunningDev, runPando, startDev } from './run-pando.ts'

/** A new project in which `pando dev` runs while the tests of a file do. */
export type DevProject = {
  readonly cwd: () => string
  /** What `dev` said when it was ready: addresses and keys. */
  readonly ready: (fact: string) => string
  /** The official client of an app, as a stranger. */
  readonly connect: () => SupabaseClient
}

/** To be called once by a test file, outside its tests. */
export function useDev(): DevProject {
  let cwd: string
  let dev: RunningDev
  let facts: DevEvent
  beforeAll(async () => {
    cwd = await makeTemporaryFolder('pando-dev-')
    await runPando(['init'], { cwd })
    dev = startDev(['--port', '0', '--db-port', '0'], { cwd })
    facts = await dev.next('ready')
  })
  afterAll(async () => {
    dev.kill('SIGINT')
    await dev.end
    rmSync(cwd, { recursive: true })
  })
  const ready = (fact: string): string => String(facts[fact])
  return {
    cwd: () => cwd,
    ready,
    connect: () => createClient(ready('API_URL'), ready('PUBLISHABLE_KEY'), { auth: { persistSession: false } }),
  }
}
