import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { generateSigningJwk, importSigningKey, parseSigningKeys } from '@pando/http/auth/sign-jwt'
import type { SigningJwk, SigningKey } from '@pando/http/auth/sign-jwt'

import { Failure } from '../failure.ts'
import type { Environment } from './env-files.ts'
import type { ProjectKind } from './find-project.ts'
import { createPrivateFile, ensureStateFolder, stateFolder, writePrivateFile } from './state-folder.ts'
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
 * The key pairs that the user gave the project, as text, of the environment or of the file that
 * `auth.signing_keys_path` names, beside `config.toml`; undefined when there are none. Keys that cannot be used are
 * refused here, before anything starts.
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

/** The first of the keys that the user gave. */
export function findSigningKey(owner: Owner): SigningKey | undefined {
  const text = readSigningKeys(owner)
  return text === undefined ? undefined : importSigningKey(parseSigningKeys(text)[0]!)
}

/** Where the pairs are that Pando made for a project. */
export const signingKeysFile = (root: string): string => join(stateFolder(root), 'signing-keys.json')

type Project = Owner & { readonly kind: ProjectKind; readonly root: string }

/**
 * What signs the project's access tokens, as text: the pairs that the user gave, or one that a `pando/` project gets at
 * its first start. Undefined where the secret signs: in a `supabase/` project, whose apps may know no other way, and
 * where `auth.jwt_secret` says so.
 */
export function ensureSigningKeys(project: Project): string | undefined {
  const given = readSigningKeys(project)
  if (given !== undefined || !hasOwnPairs(project)) return given
  const file = signingKeysFile(project.root)
  if (!existsSync(file)) {
    ensureStateFolder(project.root)
    createPrivateFile(file, toText([generateSigningJwk()]))
  }
  return nonEmpty(readFileSync(file, 'utf8'), file)
}

/** Whether the pairs are Pando's to make and to rotate. */
export function hasOwnPairs(project: Project): boolean {
  const auth = project.file?.table['auth']
  const secret = isTable(auth) ? auth['jwt_secret'] : undefined
  return project.kind === 'pando' && !secret && readSigningKeys(project) === undefined
}

const pairsMax = 16
/** For clocks that differ, and for a `pando dev` that is about to notice. */
const marginMs = 300_000

/**
 * Puts a new key in front, which signs from now on. Those behind it verify until the last token they signed has
 * expired; `tokenLifeMs` is how long tokens are good.
 */
export function rotateSigningKeys(project: Project, { now, tokenLifeMs }: { now: Date; tokenLifeMs: number }): void {
  const end = Math.ceil((now.getTime() + tokenLifeMs + marginMs) / 1000)
  const pairs = parseSigningKeys(ensureSigningKeys(project) ?? '[]').filter((pair) => !isOver(pair, now))
  if (pairs.length >= pairsMax) {
    throw new Failure('project', `${pairs.length} keys verify still; there may be no more at once.`, {
      remedy: 'Wait until some have ended (`pando keys`), or replace everything with `pando keys rotate --all`.',
    })
  }
  const retired = pairs.map((pair) => ({ ...pair, exp: endOf(pair) ?? end }))
  writePrivateFile(signingKeysFile(project.root), toText([generateSigningJwk(), ...retired]))
}

/** Takes all pairs away at once, so that no token is good any more that they signed. */
export function replaceSigningKeys(root: string): void {
  ensureStateFolder(root)
  writePrivateFile(signingKeysFile(root), toText([generateSigningJwk()]))
}

/** Seconds since the epoch. */
export const endOf = ({ exp }: SigningJwk): number | undefined => (typeof exp === 'number' ? exp : undefined)

const isOver = (pair: SigningJwk, now: Date): boolean => (endOf(pair) ?? Infinity) * 1000 < now.getTime()

const toText = (pairs: readonly SigningJwk[]): string => `${JSON.stringify(pairs, null, 2)}\n`

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
    remedy: 'It must be a JSON array of private RSA or EC P-256 keys, as `pando keys new` prints them.',
    cause,
  })
}
