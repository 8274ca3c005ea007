import { remainingMs, type Deadline } from '@pando/core/deadline'
import type { Exchange, Parameter, Statement } from '../exchange.ts'
import { toPropagatedSettings, toSettingsStatement } from './settings-statements.ts'

/** Names and values of settings. */
export type Settings = readonly (readonly [name: string, value: string])[]

/**
 * All statements of a flight: those of the caller at `firstWanted` … `endWanted - 1`, around them what makes the
 * session safe. `named` statements are prepared once per connection, others each time. `ends` is the transaction status
 * that must be reported after the flight ('I' idle, 'T' in a transaction).
 */
export type Envelope = {
  /** May be others each time that they are asked for: the time that is left is that of their sending. */
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
  /** Whether rows may be on further servers, which must be told whose request it is: then sessions are not kept. */
  readonly distributes: () => boolean
  /** Whether sessions that are kept prepare statements. */
  readonly prepares: () => boolean
  readonly roleSettings: (role: string) => Settings
}

export const keepsSessions = ({ mode, distributes }: Pick<SessionRules, 'mode' | 'distributes'>): boolean =>
  mode === 'pipelined' && !distributes()

/** Whether a session is nobody else's afterwards: then each request finds it as it was opened. */
export const ownsSessions = ({ mode }: Pick<SessionRules, 'mode'>): boolean => mode === 'pipelined'

type Assertable = { readonly role: string; readonly deadline: Deadline; readonly settings?: Settings }

export const emptyEnvelope: Envelope = { statements: [], firstWanted: 0, endWanted: 0, named: false, ends: 'I' }

/**
 * Pipelined: an implicit transaction that starts from the session as it was opened and ends at Sync. `reset all` undoes
 * what functions set for the session (`set_config(…, false)`); it does not reach the role, which is therefore asserted.
 *
 * Otherwise: an explicit transaction that needs nothing of the session, and finds it as it was opened where it is ours.
 */
export function toExchangeEnvelope(rules: SessionRules, exchange: Exchange): Envelope {
  if (!keepsSessions(rules)) return toExplicitEnvelope(rules, exchange)
  const statements = [resetAll, toSettingsStatement(exchange.role, exchange.settings ?? none)]
  const firstWanted = statements.length
  for (let i = 0; i < exchange.statements.length; i++) statements.push(exchange.statements[i]!)
  return { statements, firstWanted, endWanted: statements.length, named: rules.prepares(), ends: 'I' }
}

function toExplicitEnvelope(rules: SessionRules, { access, statements, ...who }: Exchange): Envelope {
  const assert = toAssertion(rules, who)
  const opened = [...(ownsSessions(rules) ? [resetAll] : []), ...toOpened(access, roleIsolation(rules, who.role))]
  const firstWanted = opened.length + assert().length
  return {
    get statements() {
      return [...opened, ...assert(), ...statements, commit]
    },
    firstWanted,
    endWanted: firstWanted + statements.length,
    named: false,
    ends: 'I',
  }
}

/**
 * The statements that set the role and the settings for the transaction, to be asked for when they are sent: where no session
 * is kept, `statement_timeout` is among them, and what has been waited for a connection is over.
 */
export function toAssertion(rules: SessionRules, { role, deadline, settings = none }: Assertable): () => Statement[] {
  if (keepsSessions(rules)) {
    const assertion = [toSettingsStatement(role, settings)]
    return () => assertion
  }
  const distributes = rules.distributes()
  const others = [...rules.roleSettings(role), ...settings]
  return () => {
    const timeout = ['statement_timeout', String(Math.max(1, remainingMs(deadline)))] as const
    const all = [timeout, ...others]
    return distributes ? toPropagatedSettings(role, all) : [toSettingsStatement(role, all)]
  }
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
export function toOpeningEnvelope(opening: Opening, asserted: readonly Statement[], fresh: boolean): Envelope {
  const opened = [...toOpened(opening.access, opening.isolation), ...asserted]
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

function toOpened(access: 'read' | 'write', isolation: Isolation | undefined): Statement[] {
  const first = access === 'read' ? beginRead : begin
  // Only before the first query of a transaction, which the assertion already has.
  return isolation === undefined ? [first] : [first, isolations[isolation]]
}

/** What sessions that are kept have from their start: `alter role … set default_transaction_isolation`. */
export function roleIsolation(rules: SessionRules, role: string): Isolation | undefined {
  if (keepsSessions(rules)) return undefined
  const own = rules.roleSettings(role).find(([name]) => name === 'default_transaction_isolation')?.[1]
  return own !== undefined && Object.hasOwn(isolations, own) ? (own as Isolation) : undefined
}
