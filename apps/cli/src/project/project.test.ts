import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, describe, expect, it } from 'vitest'

import { loadEnvironment } from './env-files.ts'
import { findProject } from './find-project.ts'

const folders: string[] = []

/** A folder of its own with the given files; keys are paths. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const root = await makeTemporaryFolder('pando-cli-')
  folders.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

describe('findProject', () => {
  it.each([
    ['a pando/ folder', { 'pando/config.toml': '' }, 'pando', '', 'pando'],
    ['a supabase/ folder', { 'supabase/migrations/1_a.sql': '' }, 'supabase', '', 'supabase'],
    ['pando/ before supabase/', { 'pando/seed.sql': '', 'supabase/config.toml': '' }, 'pando', '', 'pando'],
    [
      'supabase/ where pando/ is something else',
      { 'pando/readme': '', 'supabase/config.toml': '' },
      'supabase',
      '',
      'supabase',
    ],
  ] as const)('finds %s', async (_, files, kind, root, inside) => {
    const folder = await folderOf(files)
    expect(findProject(folder, { upwards: false })).toEqual({
      kind,
      root: join(folder, root),
      files: join(folder, inside),
    })
  })

  it('takes the folder itself when it is supabase/ or pando/, with the root above it', async () => {
    const folder = await folderOf({ 'supabase/config.toml': '' })
    const project = { kind: 'supabase', root: folder, files: join(folder, 'supabase') }
    expect(findProject(join(folder, 'supabase'), { upwards: false })).toEqual(project)
  })

  it('takes a named folder with a config.toml of another name, but not one it walked into', async () => {
    const folder = await folderOf({ 'config.toml': '', 'sub/x': '' })
    expect(findProject(folder, { upwards: false })).toEqual({ kind: 'pando', root: folder, files: folder })
    expect(findProject(folder, { upwards: true })).toBeUndefined()
  })

  it('searches upwards only when asked', async () => {
    const folder = await folderOf({ 'supabase/config.toml': '', 'src/deep/x': '' })
    expect(findProject(join(folder, 'src/deep'), { upwards: true })?.root).toBe(folder)
    expect(findProject(join(folder, 'src/deep'), { upwards: false })).toBeUndefined()
  })
})

describe('loadEnvironment', () => {
  it('lets the shell win, then the special file, then the nearer folder', async () => {
    const root = await folderOf({
      '.env': 'A=root\nB=root\nC=root\nD=root',
      'supabase/.env': 'A=near\nB=near\nC=near',
      'supabase/.env.local': 'A=local\nB=local',
    })
    const environment = loadEnvironment({ A: 'shell' }, [join(root, 'supabase'), root])
    expect(environment).toEqual({ A: 'shell', B: 'local', C: 'near', D: 'root' })
  })

  it('reads the files of the named environment', async () => {
    const root = await folderOf({ '.env.test': 'A=test', '.env.development': 'A=development' })
    expect(loadEnvironment({ SUPABASE_ENV: 'test' }, [root])['A']).toBe('test')
    expect(loadEnvironment({}, [root])['A']).toBe('development')
  })
})
