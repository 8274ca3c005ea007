import { nearestName } from './nearest.ts'
import type { Option } from './option.ts'
import { envName, flagName, type Options, type Values } from './options.ts'
import { parseOption } from './parse-option.ts'

/** Where values come from; a later source outranks an earlier one, and all of them outrank the default. */
export type Sources = {
  /** The parsed `config.toml` of the project, or any plain object of that shape. */
  readonly project?: Readonly<Record<string, unknown>>
  /** Environment variables. An empty variable counts as not set. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Command line flags by name without dashes. */
  readonly flags?: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
}

/** Everything that is wrong with a configuration, in one message with a line a mistake. */
export class ConfigurationError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
    super(`The configuration has ${count}:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`)
    this.name = 'ConfigurationError'
    this.mistakes = mistakes
  }
}

type Groups = Readonly<Record<string, Options>>
export type Configuration<G extends Groups> = { readonly [Name in keyof G]: Values<G[Name]> }

/**
 * Reads all groups from all sources, for example
 * `readConfiguration({ http: httpOptions, rest: restOptions }, sources)`. Throws one `ConfigurationError` that lists
 * every mistake, also variables that start with `PANDO_` and flags which no group knows. Keys of the project file that
 * belong to nobody are left alone: existing files have many.
 */
export function readConfiguration<const G extends Groups>(groups: G, sources: Sources): Configuration<G> {
  const mistakes: string[] = []
  const configuration = mapValues(groups, (group) =>
    mapValues(group.options, (option, name) => {
      const found = findRaw(sources, group.prefix, name, option)
      if (found === undefined) return option.default
      const parsed = parseOption(option, found.raw)
      if ('value' in parsed) return parsed.value
      mistakes.push(`${found.place} ${parsed.mistake}`)
      return option.default
    }),
  )
  mistakes.push(...unknownNames(groups, sources))
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return configuration as Configuration<G>
}

function mapValues<V, R>(table: Readonly<Record<string, V>>, map: (value: V, name: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, map(value, name)]))
}

type Found = { readonly raw: unknown; readonly place: string }

function findRaw(sources: Sources, prefix: string, name: string, option: Option): Found | undefined {
  const flag = flagName(prefix, name, option)
  const flagged = sources.flags?.[flag]
  if (flagged !== undefined) return { raw: flagged, place: `--${flag}` }
  const variable = envName(prefix, name, option)
  const text = sources.environment?.[variable]
  if (text !== undefined && text !== '') return { raw: text, place: variable }
  const written = option.toml === undefined ? undefined : atPath(sources.project, option.toml)
  return isUnset(option, written) ? undefined : { raw: written, place: `${option.toml} in config.toml` }
}

/** Files of existing projects list addresses and secrets that nobody chose as `""`. */
function isUnset({ type }: Option, written: unknown): boolean {
  return written === undefined || (written === '' && (type === 'url' || type === 'secret'))
}

function atPath(root: unknown, path: string): unknown {
  let here: unknown = root
  for (const key of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = (here as Record<string, unknown>)[key]
  }
  return here
}

function unknownNames(groups: Groups, sources: Sources): string[] {
  const known = Object.values(groups).flatMap(({ prefix, options }) =>
    Object.entries(options).map(([name, option]) => ({
      variable: envName(prefix, name, option),
      flag: flagName(prefix, name, option),
    })),
  )
  const variables = Object.keys(sources.environment ?? {}).filter((name) => name.startsWith('PANDO_'))
  const flags = Object.keys(sources.flags ?? {})
  return [
    ...strangers(variables, new Set(known.map((names) => names.variable)), ''),
    ...strangers(flags, new Set(known.map((names) => names.flag)), '--'),
  ]
}

function strangers(given: readonly string[], known: ReadonlySet<string>, dashes: string): string[] {
  return given
    .filter((name) => !known.has(name))
    .map((name) => {
      const near = nearestName(name, known)
      return `${dashes}${name} is not an option${near === undefined ? '' : `; perhaps you meant ${dashes}${near}`}`
    })
}
