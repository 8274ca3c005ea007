import { remainingMs, type Deadline } from '@pando/core/deadline'
import { LRUCache } from 'lru-cache'
import { escapeLiteral } from 'pg'
import type { Exchange, Parameter, Statement } from '../exchange.ts'

/** Names and values of settings. */
export type Settings = readonly (readonly [name: string, value: string])[]

/**
 * All statements of a flight: those of the caller at `firstWanted` … `endWanted - 1`, around them what makes the
 * session safe. `named` statements are prepared once per connection, others each time. `ends` is the transaction status
 * that must be reported after the flight ('I' idle, 'T' in a transaction).
 */
export type Envelope = {
  readonly statements: readonly Statement[]
  readonly firstWanted: number
  readonly endWanted: number
  readonly named: boolean
  readonly ends: 'I' | 'T'
}

const none: Settings = []
const noParams: readonly Parameter[] = []
const resetAll: Statement = { text: 'reset all', params: noParams }
const begin: Statement = { text: 'begin', params: noParams }
const beginRead: Statement = { text: 'begin read only', params: noParams }
const commit: Statement = { text: 'commit', params: noParams }
const rollback: Statement = { text: 'rollback', params: noParams }

/** Whether sessions are kept per role, and what a role's `alter role … set …` says. */
export type SessionRules = {
  readonly mode: 'pipelined' | 'transactional'
  readonly roleSettings: (role: string) => Settings
}

type Assertable = { readonly role: string; readonly deadline: Deadline; readonly settings?: Settings }

export const emptyEnvelope: Envelope = { statements: [], firstWanted: 0, endWanted: 0, named: false, ends: 'I' }

/**
 * Pipelined: an implicit transaction that starts from the session as it was opened and ends at Sync. `reset all` undoes
 * what functions set for the session (`set_config(…, false)`); it does not reach the role, which is therefore asserted.
 *
 * Transactional: an explicit transaction that needs nothing of the session.
 */
export function toExchangeEnvelope(rules: SessionRules, exchange: Exchange): Envelope {
  const asserted = toAssertion(rules, exchange)
  const pipelined = rules.mode === 'pipelined'
  const statements = [pipelined ? resetAll : toBegin(exchange.access), asserted]
  for (let i = 0; i < exchange.statements.length; i++) statements.push(exchange.statements[i]!)
  const endWanted = statements.length
  if (!pipelined) statements.push(commit)
  return { statements, firstWanted: 2, endWanted, named: pipelined, ends: 'I' }
}

/** The statement that sets the role and the settings for the transaction. */
export function toAssertion(rules: SessionRules, { role, deadline, settings = none }: Assertable): Statement {
  if (rules.mode === 'pipelined') return toSettingsStatement(role, settings)
  const timeout = ['statement_timeout', String(Math.max(1, remainingMs(deadline)))] as const
  return toSettingsStatement(role, [timeout, ...rules.roleSettings(role), ...settings])
}

export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

/** How a transaction begins; without `isolation` as the session has it. */
export type Opening = { readonly access: 'read' | 'write'; readonly isolation?: Isolation }

const isolations: Readonly<Record<Isolation, Statement>> = {
  'read committed': { text: 'set transaction isolation level read committed', params: noParams },
  'repeatable read': { text: 'set transaction isolation level repeatable read', params: noParams },
  serializable: { text: 'set transaction isolation level serializable', params: noParams },
}

/** The start of a transaction that stays open. `fresh` resets the session first. */
export function toOpeningEnvelope(opening: Opening, asserted: Statement, fresh: boolean): Envelope {
  const { access, isolation } = opening
  // Only before the first query of a transaction, which the assertion already is.
  const isolate = isolation === undefined ? [] : [isolations[isolation]]
  const opened = [toBegin(access), ...isolate, asserted]
  const statements = fresh ? [resetAll, ...opened] : opened
  return { statements, firstWanted: statements.length, endWanted: statements.length, named: false, ends: 'T' }
}

/** One statement inside an open transaction. */
export function toInnerEnvelope(statement: Statement): Envelope {
  return { statements: [statement], firstWanted: 0, endWanted: 1, named: false, ends: 'T' }
}

/** The end of an open transaction. */
export function toClosingEnvelope(how: 'commit' | 'rollback'): Envelope {
  return { statements: [how === 'commit' ? commit : rollback], firstWanted: 0, endWanted: 1, named: false, ends: 'I' }
}

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

function toBegin(access: 'read' | 'write'): Statement {
  return access === 'read' ? beginRead : begin
}

/** Few: names come from the code, the configuration and the functions of the database. */
const settingsTexts = new LRUCache<string, string>({ max: 1_000 })

function toSettingsText(settings: Settings): string {
  return `select ${[...settings.map(([name]) => name), 'role'].map(toSettingCall).join(' or ')}`
}

function toSettingCall(name: string, index: number): string {
  return `set_config(${escapeLiteral(name)}, $${index + 1}, true) is null`
}
