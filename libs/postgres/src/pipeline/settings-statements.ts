import { LRUCache } from 'lru-cache'
import type { Statement } from '../exchange.ts'
import type { Settings } from './envelope.ts'
import { quoteLiteral, quoteName } from '../quote.ts'

/**
 * Sets settings and then the role, all for the transaction, in one statement whose text depends on their names only.
 * The values are not echoed: each `is null` is false, so `or` evaluates them all, in order, and one byte comes back.
 */
export function toSettingsStatement(role: string, settings: Settings): Statement {
  const params: string[] = []
  let names = ''
  for (const [name, value] of settings) {
    params.push(value)
    names += name + '\0'
  }
  params.push(role)
  let text = settingsTexts.get(names)
  if (text === undefined) settingsTexts.set(names, (text = toSettingsText(settings)))
  return { text, params }
}

/** Few: names come from the code, the configuration and the functions of the database. */
const settingsTexts = new LRUCache<string, string>({ max: 1_000 })

function toSettingsText(settings: Settings): string {
  return `select ${[...settings.map(([name]) => name), 'role'].map(toSettingCall).join(' or ')}`
}

function toSettingCall(name: string, index: number): string {
  return `set_config(${quoteLiteral(name)}, $${index + 1}, true) is null`
}

/**
 * Sets settings and then the role, all for the transaction, so that the policies of rows on other servers see them:
 * Citus repeats `set local` there, and does not see a `set_config()`, behind which such policies silently hide every row.
 * A `set` takes no parameters, therefore values are written as literals here, and nowhere else. The role needs no
 * passing on: Citus logs in as it.
 */
export function toPropagatedSettings(role: string, settings: Settings): Statement[] {
  const own = settings.filter(([name]) => isList(name))
  const passedOn = settings.filter(([name]) => !isList(name))
  return [propagate, ...passedOn.map(toSetLocal), toSettingsStatement(role, own)]
}

const propagate: Statement = { text: "set local citus.propagate_set_commands to 'local'", params: [] }

function toSetLocal([name, value]: Settings[number]): Statement {
  return { text: `set local ${quoteName(name)} to ${quoteLiteral(value)}`, params: [] }
}

/** `set` would take the text of a list for its one item. Other servers resolve no names of ours. */
const isList = (name: string): boolean => lists.has(name.toLowerCase())

const lists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])
