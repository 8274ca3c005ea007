import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { importSigningKey, parseSigningKeys } from '@pando/http/auth/sign-jwt'
import type { SigningKey } from '@pando/http/auth/sign-jwt'

import { Failure } from '../failure.ts'
import type { Environment } from './env-files.ts'
import { isTable } from './toml.ts'
import type { Table } from './toml.ts'

/** The variable that the server reads signing keys from; it outranks the file. */
export const signingKeysVariable = 'PANDO_JWT_SIGNING_KEYS'

type Owner = {
  /** The folder of `config.toml`. */
  readonly files: string
  readonly file?: { readonly table: Table }
  readonly environment?: Environment
}

/**
 * The project's own key pairs as text, of the environment or of the file that `auth.signing_keys_path` names, beside
 * `config.toml`; undefined when there are none. Keys that cannot be used are refused here, before anything starts.
 */
export function readSigningKeys({ files, file, environment }: Owner): string | undefined {
  const given = environment?.[signingKeysVariable]
  if (given !== undefined && given !== '') return nonEmpty(given, signingKeysVariable)
  const auth = file?.table['auth']
  const path = isTable(auth) ? auth['signing_keys_path'] : undefined
  if (path === undefined || path === '') return undefined
  if (typeof path !== 'string') throw unusable('auth.signing_keys_path in config.toml', 'must be text in quotes')
  const found = resolve(files, path)
  return nonEmpty(readText(found), found)
}

/** The key that signs: the first one. */
export async function findSigningKey(owner: Owner): Promise<SigningKey | undefined> {
  const text = readSigningKeys(owner)
  return text === undefined ? undefined : importSigningKey(parseSigningKeys(text)[0]!)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unusable(`auth.signing_keys_path in config.toml names ${path}, which`, 'cannot be read', cause)
  }
}

/** An empty array is where other tools begin: no keys yet. */
function nonEmpty(text: string, place: string): string | undefined {
  try {
    return parseSigningKeys(text).length === 0 ? undefined : text
  } catch (cause) {
    throw unusable(place, `cannot be used: ${(cause as Error).message}`, cause)
  }
}

function unusable(place: string, mistake: string, cause?: unknown): Failure {
  return new Failure('project', `${place} ${mistake}${mistake.endsWith('.') ? '' : '.'}`, {
    remedy: 'It must be a JSON array of private RSA or EC P-256 keys, as `supabase gen signing-key` writes them.',
    cause,
  })
}
