import { nearestName } from '@pando/config/nearest'

import type { Environment } from './env-files.ts'
import type { ProjectKind } from './find-project.ts'
import { isTable, listPaths, parseToml, substituteVariables } from './toml.ts'
import type { Table } from './toml.ts'

/** What `config.toml` says, before any option is read from it. */
export type ProjectFile = {
  /** The whole file with `env(NAME)` replaced. */
  readonly table: Table
  /** Keys that stand in the file, as dotted paths: they are the user's will, where a default is only ours. */
  readonly explicit: ReadonlySet<string>
  /** Keys that mean nothing to Pando, tolerated in a `supabase/` project. */
  readonly ignored: readonly string[]
  /** Variables that `env(NAME)` asked for and nobody set, outside of the keys that Pando reads. */
  readonly unsetVariables: readonly string[]
}

/** Sections that are kept whole for the services they belong to, whatever their keys. */
const openSections = new Set(['project_id', 'auth', 'realtime', 'storage', 'functions'])

/** Tables of texts whose keys are names of the project's own. */
const openTables = new Set(['shard.keys'])

const isOpen = (path: string): boolean =>
  openSections.has(path.split('.')[0] ?? '') || [...openTables].some((table) => path.startsWith(`${table}.`))

type Context = {
  readonly kind: ProjectKind
  readonly environment: Environment
  /** Every path that some option reads. */
  readonly knownPaths: readonly string[]
}

/**
 * Reads the text of a `config.toml`. Mistakes are sentences that name the key; all of them are collected, so that the
 * user corrects them in one go.
 */
export function parseProjectFile(source: string, context: Context): { file: ProjectFile; mistakes: readonly string[] } {
  const toml = parseToml(source)
  const { table, unset } = substituteVariables('table' in toml ? toml.table : {}, context.environment)
  const paths = listPaths(table)
  const known = new Set(context.knownPaths)
  const unknown = paths.filter((path) => !known.has(path) && !isOpen(path))
  const scalars = unknown.filter((path) => isSection(path, known))
  const strangers = unknown.filter((path) => !scalars.includes(path))
  const missing = [...unset].filter(([path]) => known.has(path))
  const mistakes = [
    ...('mistake' in toml ? [toml.mistake] : []),
    ...missing.map(([path, name]) => `${path} is env(${name}), but ${name} is not set; set it in the shell or in .env`),
    ...scalars.map((path) => `${path} must be a section [${path}], but is ${JSON.stringify(atPath(table, path))}`),
    ...(context.kind === 'pando' ? strangers.map((path) => toStranger(path, known)) : []),
  ]
  const unsetVariables = [...unset].filter(([path]) => !known.has(path)).map(([, name]) => name)
  return {
    file: {
      table,
      explicit: new Set(paths),
      ignored: context.kind === 'supabase' ? strangers : [],
      unsetVariables: [...new Set(unsetVariables)].sort(),
    },
    mistakes,
  }
}

function isSection(path: string, known: ReadonlySet<string>): boolean {
  return [...known].some((key) => key.startsWith(`${path}.`))
}

/** What is said of a key that nobody reads. */
export function toStranger(path: string, known: Iterable<string>): string {
  const near = nearestName(path, known)
  return `${path} is not a setting of Pando${near === undefined ? '' : `; perhaps you meant ${near}`}`
}

function atPath(table: Table, path: string): unknown {
  return path.split('.').reduce<unknown>((here, key) => (isTable(here) ? here[key] : undefined), table)
}
