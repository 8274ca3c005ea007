import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { renderDatabaseTypes } from './database-types.ts'
import { openMuseum } from './testing/museum.ts'
import type { Museum } from './testing/museum.ts'

let museum: Museum
let folder: string
let types: string

beforeAll(async () => {
  museum = await openMuseum()
  types = renderDatabaseTypes(await museum.load(), { schemas: ['api', 'shop'] })
  folder = await makeTemporaryFolder('database-types-')
  await symlink(path.dirname(path.dirname(packageFolder('@supabase/supabase-js'))), path.join(folder, 'node_modules'))
  await writeFile(path.join(folder, 'database.ts'), types)
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
})

afterAll(async () => {
  await museum.close()
  await rm(folder, { recursive: true })
})

const compilerOptions = {
  target: 'esnext',
  module: 'nodenext',
  lib: ['esnext', 'dom'],
  types: [],
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
}

function packageFolder(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name)
  return entry.slice(0, entry.lastIndexOf(name) + name.length)
}

/** What the TypeScript compiler says about applications that use the types: a line for each error. */
async function complaints(applications: readonly string[]): Promise<string[]> {
  const project = await mkdtemp(path.join(folder, 'project-'))
  const files = applications.map((text, at) => writeFile(path.join(project, `application${at}.ts`), preamble + text))
  await Promise.all([...files, writeFile(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))])
  const output = await new Promise<string>((resolve) => {
    const tsc = path.join(packageFolder('typescript'), 'bin', 'tsc')
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: project }, (_, out) => resolve(out))
  })
  return output.split('\n').filter((line) => line.includes('error TS'))
}

const preamble = `
import { createClient } from '@supabase/supabase-js'
import { Constants } from '../database.ts'
import type { CompositeTypes, Database, Enums, Json, Tables, TablesInsert, TablesUpdate } from '../database.ts'
const client = createClient<Database, 'api'>('http://127.0.0.1:1', 'key', { db: { schema: 'api' } })
/** Compiles only when both types are the same. */
function same<A, B>(..._: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['different']): void {}
`

test('an application with typed rows, embeddings, functions and writes compiles', async () => {
  expect(
    await complaints([
      `
const showings = await client.from('showings').select('since, exhibitions(title), works(title, halls(title))').single()
same<typeof showings.data, {
  since: string
  exhibitions: { title: string }
  works: { title: string; halls: { title: string } | null }
} | null>()

const works = await client.from('works').select('id, technique, notes, certificates(signed_by), exhibitions(title)').single()
same<NonNullable<typeof works.data>['certificates'], { signed_by: number | null } | null>()
same<NonNullable<typeof works.data>['technique'], 'oil' | 'ink' | 'bronze, cast'>()
same<NonNullable<typeof works.data>['notes'], Json>()
same<NonNullable<typeof works.data>['exhibitions'], { title: string }[]>()

const artists = await client.from('artists').select('name, initials, pupils(name), teacher(name)').single()
same<NonNullable<typeof artists.data>, {
  name: string
  initials: string | null
  pupils: { name: string }[]
  teacher: { name: string } | null
}>()

const all = await client.from('artists').select('*').single()
same<keyof NonNullable<typeof all.data>, 'id' | 'name' | 'born' | 'teacher_id'>()

const view = await client.from('catalogue').select('title, restorer, showings, restored_by').single()
same<typeof view.data, { title: string; restorer: string | null; showings: number; restored_by: string } | null>()

const sum = await client.rpc('add', { a: 1 })
same<typeof sum.data, number | null>()
const found = await client.rpc('by_artist', { artist_id: 1 }).select('title, halls(title)')
same<typeof found.data, { title: string; halls: { title: string } | null }[] | null>()
const listed = await client.rpc('listed')
same<typeof listed.data, { id: number; names: string[] }[] | null>()

await client.from('works').insert({ artist_id: 1 })
await client.from('works').update({ technique: 'ink', ground: null })
await client.from('frozen').insert({ title: 'x' })
await client.schema('shop').from('prints').insert({ id: 1 })

same<Tables<'painters'>['name'], string>()
same<Tables<{ schema: 'shop' }, 'prints'>, { id: number; work_id: number | null }>()
same<TablesInsert<'halls'>, { building: string; number: number; title: string }>()
same<TablesUpdate<'exhibitions'>, { id?: number; title?: string }>()
same<Enums<'technique'>, (typeof Constants)['api']['Enums']['technique'][number]>()
same<CompositeTypes<'dimensions'>['labels'], string[] | null>()
same<Database['__InternalSupabase']['PostgrestVersion'], '14.12'>()
`,
    ]),
  ).toEqual([])
})

const mistakes: Readonly<Record<string, string>> = {
  'a wrong column': `const { data } = await client.from('works').select('nothing').single(); data?.nothing.length`,
  'a wrong table': `client.from('vanished')`,
  'a private table': `client.from('keepers').select('phone').single().then(({ data }) => data?.phone.length)`,
  'an insert without what is required': `client.from('works').insert({ title: 'x' })`,
  'an insert of a generated column': `client.from('works').insert({ artist_id: 1, title_length: 3 })`,
  'a write of an identity': `client.from('works').update({ id: 3 })`,
  'a write of a computed column of a view': `client.from('paintings').update({ shout: 'X' })`,
  'an insert into a view that takes none': `client.from('all_names').insert({ id: 1 })`,
  'a label that the enum does not have': `client.from('works').update({ technique: 'chalk' })`,
  'a wrong argument': `client.rpc('by_artist', { artist: 1 })`,
}

test('an application that is wrong about the database does not compile', async () => {
  const lines = await complaints(Object.values(mistakes))
  const found = Object.keys(mistakes).filter((_, at) => lines.some((line) => line.startsWith(`application${at}.ts`)))
  expect(found).toEqual(Object.keys(mistakes))
})

test('the text does not depend on the order of the schemas', async () => {
  const catalogue = await museum.load()
  expect(renderDatabaseTypes(catalogue, { schemas: ['api', 'shop'] })).toBe(types)
  expect(types.indexOf('  api: {')).toBeLessThan(types.indexOf('  shop: {'))
})

test('a foreign key to a schema that is not rendered is left out', async () => {
  const alone = renderDatabaseTypes(await museum.load(), { schemas: ['shop'] })
  expect(alone).toContain('Relationships: []')
  expect(alone).not.toContain('prints_work_id_fkey')
})

test('overloads that cannot be told apart and functions that only a row can call say so', async () => {
  await museum.sql(`
    create function api.vague(a integer) returns integer language sql as 'select 1';
    create function api.vague(a text) returns integer language sql as 'select 1'`)
  const text = renderDatabaseTypes(await museum.load(), { schemas: ['api'] })
  expect(text).toContain(
    'Could not choose the best candidate function between: api.vague(a => integer), api.vague(a => text).',
  )
  expect(text).toContain('the function api.initials with parameter or with a single unnamed json/jsonb parameter')
})
