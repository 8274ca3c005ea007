import type { Change, Values } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import type { RowQuestion } from './deps.ts'
import { encodeRefusal, fillIn } from './encode-change.ts'
import type { FilterTest, Holds } from './filter-test.ts'
import type { ChangeRequest } from './request.ts'
import type { RowChecks } from './row-checks.ts'
import type { ClaimsGroup, TablePlan, TablePlans } from './table-plans.ts'

type Maybe<T> = T | Promise<T>

/** One request of a subscriber: the id that it has on the wire, and its conditions. */
export type Binding = { readonly id: number; readonly request: ChangeRequest; readonly tests: readonly FilterTest[] }

/** What goes out: `dataJson` is the text of `data` in the protocol's `{ids, data}`. */
export type Delivery = {
  readonly ids: readonly number[]
  readonly dataJson: string
  readonly cursor: string
  /** When the transaction committed: `2026-11-22T13:05:12.123456Z`. */
  readonly commitTimestamp: string
}

/**
 * What to do with the delete of a row that policies protect, when the log does not have enough of the old row to say who
 * could see it: tell everybody its key, as other servers of this protocol do, or nobody.
 */
export type UndecidedDeletes = 'tell-key' | 'withhold'

export type ChangeRunDeps = {
  readonly plans: TablePlans
  readonly checks: RowChecks
  readonly undecidedDeletes: UndecidedDeletes
}

const unauthorized = 'Error 401: Unauthorized'
const withoutKey = 'Error 400: Bad Request, no primary key'

/** Decides about one change; everything that subscribers have in common is found out once. */
export type ChangeRun = {
  /** Rejects when Postgres cannot be asked, or a condition is about a column that has another type by now. */
  decide(caller: Caller, bindings: readonly Binding[]): Maybe<readonly Delivery[]>
}

/** The values that conditions and policies look at. */
export function toValues({ row, old }: Change): Values {
  return row === undefined ? (old ?? []) : fillIn(row, old)
}

export function createChangeRun(deps: ChangeRunDeps, change: Change): ChangeRun {
  const values = toValues(change)
  const { relation } = change
  const table = `${relation.schema}.${relation.table}`
  const places = new Map(relation.columns.map(({ name }, at) => [name, at]))
  const valueOf = (column: string): string | null | undefined => values[places.get(column) ?? -1]
  const plans = new Map<string, Maybe<TablePlan | undefined>>()
  const seen = new Map<string, Maybe<boolean | undefined>>()
  const held = new Map<string, Promise<Holds>>()
  const payloads = new Map<string, string>()
  const askRow = createRowAsker(deps.checks, table)

  const planFor = (role: string): Maybe<TablePlan | undefined> =>
    remember(plans, role, () => deps.plans.find(relation, role))

  const holds = (test: FilterTest, plan: TablePlan): Maybe<Holds> => {
    if (!plan.selectable.has(test.column)) return false
    if (relation.columns[places.get(test.column) ?? -1]?.typeOid !== test.typeOid)
      throw new Error(`column ${test.column} changed`)
    const value = valueOf(test.column)
    if (value === undefined) return false
    const here = test.holds(value)
    if (here !== undefined) return negateIf(test, here)
    const question = test.toQuestion(value)
    const ask = async (): Promise<Holds> => (await deps.checks.ask(table, question))[0] as Holds
    const late = remember(held, JSON.stringify(question), ask)
    return late.then((verdict) => negateIf(test, verdict))
  }

  const passes = (binding: Binding, plan: TablePlan): Maybe<boolean> => {
    const verdicts = binding.tests.map((test) => holds(test, plan))
    if (verdicts.some((verdict) => verdict === false || verdict === null)) return false
    if (!verdicts.some((verdict) => verdict instanceof Promise)) return true
    return Promise.all(verdicts).then((settled) => settled.every((verdict) => verdict === true))
  }

  /** Undefined when the log does not say. */
  const sees = (plan: TablePlan, group: ClaimsGroup): Maybe<boolean | undefined> => {
    const { visibility } = plan
    if (visibility.kind !== 'policies') return visibility.kind === 'all'
    const here = visibility.predicate?.(values, group.claims)
    if (here !== undefined || change.kind === 'delete') return here
    if (plan.facts.key.length === 0) return undefined
    const question = plan.isKeySelectable ? toQuestion(plan, visibility.columns, valueOf) : undefined
    return question === undefined ? false : askRow(question, group)
  }

  const payloadFor = (plan: TablePlan, role: string, { select }: ChangeRequest): string =>
    remember(payloads, JSON.stringify([role, select]), () => plan.encoderFor(select).encode(change))

  const deliver = (bindings: readonly Binding[], toJson: (request: ChangeRequest) => string): readonly Delivery[] => {
    const ids = new Map<string, number[]>()
    for (const { id, request } of bindings) remember(ids, toJson(request), () => []).push(id)
    const { cursor, committedAt: commitTimestamp } = change
    return Array.from(ids, ([dataJson, list]) => ({ ids: list, dataJson, cursor, commitTimestamp }))
  }

  const deliverAs = (
    isVisible: boolean | undefined,
    { plan, role, bindings }: { plan: TablePlan; role: string; bindings: readonly Binding[] },
  ): readonly Delivery[] => {
    if (isVisible === false) return []
    const isDelete = change.kind === 'delete'
    const refuse = (error: string) => () => encodeRefusal(plan.facts, change, error)
    if (isVisible && (isDelete || plan.isKeySelectable))
      return deliver(bindings, (request) => payloadFor(plan, role, request))
    if (isVisible) return deliver(bindings, refuse(unauthorized))
    if (isDelete)
      return deliver(
        bindings.filter((each) => isKeyTold(plan, each)),
        (request) => payloadFor(plan, role, request),
      )
    // Nobody knows who may see it; that a condition holds would tell about it.
    return deliver(
      bindings.filter(({ tests }) => tests.length === 0),
      refuse(withoutKey),
    )
  }

  const decideWith = (
    plan: TablePlan | undefined,
    caller: Caller,
    bindings: readonly Binding[],
  ): Maybe<readonly Delivery[]> => {
    if (plan === undefined || plan.visibility.kind === 'none') return []
    const { role } = caller
    return after(allOf(bindings.map((binding) => passes(binding, plan))), (verdicts) => {
      const passing = bindings.filter((_, at) => verdicts[at])
      if (passing.length === 0) return []
      const group = plan.groupOf(caller)
      const visible = remember(seen, `${role}/${group.key}`, () => sees(plan, group))
      return after(visible, (isVisible) => deliverAs(isVisible, { plan, role, bindings: passing }))
    })
  }

  /** A condition on more than the key would tell about values of a row that may not have been visible. */
  const isKeyTold = ({ facts }: TablePlan, { tests }: Binding): boolean =>
    deps.undecidedDeletes === 'tell-key' && tests.every(({ column }) => facts.key.includes(column))

  return {
    decide: (caller, bindings) => after(planFor(caller.role), (plan) => decideWith(plan, caller, bindings)),
  }
}

function negateIf({ filter }: FilterTest, holds: Holds): Holds {
  return filter.negate && typeof holds === 'boolean' ? !holds : holds
}

/** Undefined when the log lacks a value that it would take to find the very same row: then nobody is told. */
function toQuestion(
  { facts }: TablePlan,
  policyColumns: readonly string[],
  valueOf: (column: string) => string | null | undefined,
): Omit<RowQuestion, 'callers'> | undefined {
  const key = facts.key.map((name) => [name, valueOf(name)] as const)
  const same = policyColumns.filter((name) => !facts.key.includes(name)).map((name) => [name, valueOf(name)] as const)
  if (key.length === 0 || !key.every(isText) || !same.every(isKnown)) return undefined
  return { kind: 'row', table: facts.oid, key, same }
}

type Pair<T> = readonly [column: string, value: T]
const isText = (pair: Pair<string | null | undefined>): pair is Pair<string> => typeof pair[1] === 'string'
const isKnown = (pair: Pair<string | null | undefined>): pair is Pair<string | null> => pair[1] !== undefined

/** Gathers the groups of a role that ask about the row in the same turn into one question. */
function createRowAsker(checks: RowChecks, table: string) {
  type Open = { readonly callers: { role: string; claims: string }[]; readonly verdicts: Promise<readonly unknown[]> }
  const open = new Map<string, Open>()
  return async (question: Omit<RowQuestion, 'callers'>, { caller }: ClaimsGroup): Promise<boolean> => {
    const { role, claimsJson: claims } = caller
    const { callers, verdicts } = remember(open, role, () => {
      const gathered: Open['callers'] = []
      const send = (): Promise<readonly unknown[]> => {
        open.delete(role)
        return checks.ask(table, { ...question, callers: gathered })
      }
      return { callers: gathered, verdicts: Promise.resolve().then(send) }
    })
    const at = callers.push({ role, claims }) - 1
    return (await verdicts)[at] === true
  }
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined || map.has(key)) return found as V
  const made = make()
  map.set(key, made)
  return made
}

/** Goes on at once when there is nothing to wait for: most changes are decided without a turn of the event loop. */
function after<T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

function allOf<T>(values: readonly Maybe<T>[]): Maybe<readonly T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[])
}
