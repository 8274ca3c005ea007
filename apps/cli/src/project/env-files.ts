import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment as a project's files see it: the shell's variables win, then the `.env` files beside `config.toml`,
 * then those of the project's root. In each folder the more special file wins: `.env.<name>.local`, `.env.local`,
 * `.env.<name>`, `.env`, where `<name>` is `PANDO_ENV` or `SUPABASE_ENV`, else `development`.
 */
export function loadEnvironment(shell: Environment, folders: readonly string[]): Environment {
  const name = shell['PANDO_ENV'] ?? shell['SUPABASE_ENV'] ?? 'development'
  const files = folders.flatMap((folder) =>
    [`.env.${name}.local`, '.env.local', `.env.${name}`, '.env'].map((file) => join(folder, file)),
  )
  const layers = files.filter((file) => existsSync(file)).map((file) => parseEnv(readFileSync(file, 'utf8')))
  return Object.assign({}, ...layers.reverse(), definedOnly(shell))
}

function definedOnly(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined))
}
