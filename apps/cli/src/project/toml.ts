import { parse, TomlError } from 'smol-toml'

import type { Environment } from './env-files.ts'

/** A TOML table without a prototype, so that no key of a file can reach `Object.prototype`. */
export type Table = { readonly [key: string]: unknown }

/** Reads TOML; when it is not, `mistake` says where, with the line and a caret under the column. */
export function parseToml(source: string): { table: Table } | { mistake: string } {
  try {
    return { table: parse(source, { unsafeKeyBehaviour: 'throw' }) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [headline = '', ...frame] = error.message.replace('Invalid TOML document: ', '').trimEnd().split('\n')
    const excerpt = frame.filter((line) => line.trim() !== '').map((line) => `\n    ${line}`)
    return { mistake: `line ${error.line}, column ${error.column}: ${headline}${excerpt.join('')}` }
  }
}

const variable = /^env\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)$/

/**
 * Replaces each text that is wholly `env(NAME)` by the variable's value. Where nobody set the variable the key is left
 * out, and `unset` maps the key's path to the variable's name.
 */
export function substituteVariables(
  table: Table,
  environment: Environment,
): { table: Table; unset: Map<string, string> } {
  const unset = new Map<string, string>()
  const visit = (value: unknown, path: string): unknown => {
    const name = typeof value === 'string' ? variable.exec(value)?.[1] : undefined
    if (name !== undefined) {
      const found = Object.hasOwn(environment, name) ? environment[name] : undefined
      if (found === undefined) unset.set(path, name)
      return found
    }
    if (Array.isArray(value)) return value.map((item) => visit(item, path)).filter((item) => item !== undefined)
    return isTable(value) ? visitTable(value, path) : value
  }
  const visitTable = (from: Table, path: string): Table => {
    const to = Object.create(null) as Record<string, unknown>
    for (const [key, value] of Object.entries(from)) {
      const seen = visit(value, path === '' ? key : `${path}.${key}`)
      if (seen !== undefined) to[key] = seen
    }
    return to
  }
  return { table: visitTable(table, ''), unset }
}

/** The dotted paths of all values in `table`; a section without any is nobody's mistake. */
export function listPaths(table: Table, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`
    return isTable(value) ? listPaths(value, path) : [path]
  })
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
