import type { RowQuestion } from './deps.ts'
import { type Maybe, remember } from './maybe.ts'
import type { ClaimsGroup } from './policies/grouping.ts'
import type { RowChecks } from './row-checks.ts'
import type { SeenChange } from './seen-values.ts'
import type { TablePlan } from './table-plans.ts'

/**
 * Whether callers of a claims group see the row of a change; found out once for each group.
 *
 * `row` is undefined when it cannot be known: a delete without the old row, or a table without a primary key whose
 * policies only Postgres decides. `old` says the same of the values that an update replaced.
 */
export type RowVisibility = {
  row(plan: TablePlan, group: ClaimsGroup): Maybe<boolean | undefined>
  old(plan: TablePlan, group: ClaimsGroup): boolean
}

export function createRowVisibility(checks: RowChecks, seen: SeenChange): RowVisibility {
  const rows = new Map<ClaimsGroup, Maybe<boolean | undefined>>()
  const olds = new Map<ClaimsGroup, boolean>()
  const ask = createAsker(checks, seen.table)

  const findRow = (
    { facts, visibility, isKeySelectable }: TablePlan,
    group: ClaimsGroup,
  ): Maybe<boolean | undefined> => {
    if (visibility.kind !== 'policies') return visibility.kind === 'all'
    const here = visibility.predicate?.(seen.values, group.claims)
    if (here !== undefined || seen.change.kind === 'delete') return here
    if (facts.key.length === 0) return undefined
    const question = isKeySelectable ? toQuestion(seen, facts, visibility.columns) : undefined
    return question === undefined ? false : ask(question, group)
  }
  /** Who sees the new row saw the old one if nothing changed that policies look at. */
  const findOld = ({ visibility }: TablePlan, group: ClaimsGroup): boolean => {
    const { old, relation } = seen.change
    if (visibility.kind !== 'policies' || old === undefined) return true
    const isKept = relation.columns.every(
      ({ name }, at) => !visibility.columns.includes(name) || old[at] === seen.values[at],
    )
    return isKept || visibility.predicate?.(old, group.claims) === true
  }
  return {
    row: (plan, group) => remember(rows, group, () => findRow(plan, group)),
    old: (plan, group) => remember(olds, group, () => findOld(plan, group)),
  }
}

type Asked = Omit<RowQuestion, 'callers'>

/** Undefined when the log lacks a value that it would take to find the very same row: then nobody is told. */
function toQuestion(
  { valueOf, xid }: SeenChange,
  { oid, key: names }: TablePlan['facts'],
  policyColumns: readonly string[],
): Asked | undefined {
  const key = names.map((name) => [name, valueOf(name)] as const)
  const same = policyColumns.filter((name) => !names.includes(name)).map((name) => [name, valueOf(name)] as const)
  return key.every(isText) && same.every(isKnown) ? { kind: 'row', table: oid, key, same, xid } : undefined
}

type Pair<T> = readonly [column: string, value: T]
const isText = (pair: Pair<string | null | undefined>): pair is Pair<string> => typeof pair[1] === 'string'
const isKnown = (pair: Pair<string | null | undefined>): pair is Pair<string | null> => pair[1] !== undefined

/** Gathers the groups of a role that ask about the row in the same turn into one question. */
function createAsker(checks: RowChecks, table: string): (asked: Asked, group: ClaimsGroup) => Promise<boolean> {
  type Open = { readonly callers: { role: string; claims: string }[]; readonly verdicts: Promise<readonly unknown[]> }
  const open = new Map<string, Open>()
  return async (asked, { caller: { role, claimsJson: claims } }) => {
    const { callers, verdicts } = remember(open, role, () => {
      const gathered: Open['callers'] = []
      const send = (): Promise<readonly unknown[]> => {
        if (open.get(role)?.callers === gathered) open.delete(role)
        return checks.ask(table, { ...asked, callers: gathered })
      }
      return { callers: gathered, verdicts: Promise.resolve().then(send) }
    })
    const at = callers.push({ role, claims }) - 1
    if (callers.length === checks.callersMax) open.delete(role)
    return (await verdicts)[at] === true
  }
}
