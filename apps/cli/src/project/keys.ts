import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { demoKeys, generateKeys } from '@pando/http/auth/api-keys'
import type { ProjectKeys } from '@pando/http/auth/api-keys'

import { Failure } from '../failure.ts'
import type { Environment } from './env-files.ts'
import type { ProjectKind } from './find-project.ts'
import { findSigningKey } from './signing-keys.ts'
import { ensureStateFolder, stateFolder, writePrivateFile } from './state-folder.ts'
import { isTable } from './toml.ts'
import type { Table } from './toml.ts'

/** Each key's name under `[auth]` of `config.toml`. */
const configNames: Readonly<Record<keyof ProjectKeys, string>> = {
  jwtSecret: 'jwt_secret',
  anonKey: 'anon_key',
  serviceRoleKey: 'service_role_key',
  publishableKey: 'publishable_key',
  secretKey: 'secret_key',
}
/** Where keys may stand in `config.toml`. */
export const keyPaths: readonly string[] = Object.values(configNames).map((name) => `auth.${name}`)

const keyNames = Object.keys(configNames) as (keyof ProjectKeys)[]

type Owner = {
  readonly kind: ProjectKind
  readonly root: string
  /** The folder of `config.toml`. */
  readonly files: string
  readonly environment?: Environment
  /** The content of `config.toml`, whose `[auth]` may name keys. */
  readonly file?: { readonly table: Table }
}

/**
 * The keys of a project, made at its first start. A `supabase/` project has the well-known ones, a `pando/` project
 * random ones in `.pando/keys.json`. Keys under `[auth]` win; JWT keys that are not given there are signed with the
 * first key of `signing_keys_path`, else with the `jwt_secret`, where the project names one of them.
 */
export async function ensureKeys(project: Owner, now: Date): Promise<ProjectKeys> {
  const { keys: written, mistakes } = readConfiguredKeys(project.file?.table)
  if (mistakes.length > 0) throw keyMistakes(mistakes)
  const signing = findSigningKey(project)
  const own =
    project.kind === 'supabase'
      ? await demoKeys()
      : (readKeyFile(project.root) ?? (await rotateKeys(project.root, now)))
  if (written.jwtSecret === undefined && signing === undefined) return { ...own, ...written }
  const { anonKey, serviceRoleKey } = await demoKeys(written.jwtSecret ?? own.jwtSecret, signing)
  return { ...own, anonKey, serviceRoleKey, ...written }
}

/** Makes new random keys and keeps them; what the old ones signed is void. */
export async function rotateKeys(root: string, now: Date): Promise<ProjectKeys> {
  const keys = await generateKeys(now.getTime())
  writePrivateFile(join(ensureStateFolder(root), 'keys.json'), `${JSON.stringify(keys, null, 2)}\n`)
  return keys
}

const jwtSecretBytesMin = 32

/**
 * What is wrong with the keys under `[auth]`: a secret that is too short to sign with is refused before anything
 * starts.
 */
export const listKeyMistakes = (table: Table): readonly string[] => readConfiguredKeys(table).mistakes

function readConfiguredKeys(table: Table | undefined): { keys: Partial<ProjectKeys>; mistakes: readonly string[] } {
  const auth = table?.['auth']
  const keys: Partial<Record<keyof ProjectKeys, string>> = {}
  const mistakes: string[] = []
  const report = (name: keyof ProjectKeys, mistake: string) =>
    mistakes.push(`auth.${configNames[name]} in config.toml ${mistake}`)
  for (const name of keyNames) {
    const value = isTable(auth) ? auth[configNames[name]] : undefined
    if (value === undefined || value === '') continue
    if (typeof value === 'string') keys[name] = value
    else report(name, 'must be text in quotes')
  }
  const bytes = Buffer.byteLength(keys.jwtSecret ?? '')
  if (keys.jwtSecret !== undefined && bytes < jwtSecretBytesMin) {
    report('jwtSecret', `must have at least ${jwtSecretBytesMin} bytes, but has ${bytes}`)
  }
  return { keys, mistakes }
}

const keyMistakes = (mistakes: readonly string[]): Failure =>
  new Failure('project', `${mistakes.join('; ')}.`, { remedy: 'Correct it, or remove the line.', facts: { mistakes } })

/** The kept keys; undefined when there are none. A damaged file is an error: new keys would lock every app out. */
function readKeyFile(root: string): ProjectKeys | undefined {
  const file = join(stateFolder(root), 'keys.json')
  try {
    return parseKeys(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure('project', `${file} cannot be used: ${(error as Error).message}.`, {
      remedy: 'Restore it from a backup, or make new keys with `pando keys rotate --all`.',
      cause: error,
    })
  }
}

function parseKeys(text: string): ProjectKeys {
  const keys: unknown = JSON.parse(text)
  const missing = keyNames.filter((name) => !isTable(keys) || typeof keys[name] !== 'string')
  if (missing.length > 0) throw new Error(`it lacks ${missing.join(', ')}`)
  return keys as ProjectKeys
}
