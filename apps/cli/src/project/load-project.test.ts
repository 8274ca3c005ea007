import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, expect, it } from 'vitest'
import { readConfig } from '../server/read-config.ts'
import { loadProject } from './load-project.ts'

let folder: string
afterEach(() => rmSync(folder, { recursive: true }))

/** Who hears of a delete, as the server of a project reads it. */
async function undecidedDeletesOf(kind: 'pando' | 'supabase', toml: string, variables: Record<string, string> = {}) {
  folder = await makeTemporaryFolder('pando-cli-')
  mkdirSync(join(folder, kind))
  writeFileSync(join(folder, kind, 'config.toml'), toml)
  const { file } = await loadProject({ environment: {}, workingFolder: folder, options: {} })
  const environment = { PANDO_JWT_SECRET: '-'.repeat(64), ...variables }
  return readConfig({ project: file.table, environment }).realtime.undecidedDeletes
}

const variable = 'PANDO_REALTIME_UNDECIDED_DELETES'

it.each([
  ['pando', '', {}, 'withhold'],
  ['supabase', '', {}, 'tell-key'],
  ['supabase', '[realtime]\nenabled = true', {}, 'tell-key'],
  ['supabase', '[realtime]\nundecided_deletes = "withhold"', {}, 'withhold'],
  ['supabase', '', { [variable]: 'withhold' }, 'withhold'],
  ['pando', '[realtime]\nundecided_deletes = "tell-key"', {}, 'tell-key'],
] as const)(
  'in a %s/ project with %j and %j a delete that nobody can judge is %s',
  async (kind, toml, variables, told) => {
    expect(await undecidedDeletesOf(kind, toml, variables)).toBe(told)
  },
)
