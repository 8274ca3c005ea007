import type { Change } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import { type Binding, createChooseBindings } from './choose-bindings.ts'
import { type ChangeEncoder, encodeRefusal } from './encode-change.ts'
import { after, type Maybe, remember } from './maybe.ts'
import type { ChangeRequest } from './request.ts'
import type { RowChecks } from './row-checks.ts'
import { createRowVisibility } from './row-visibility.ts'
import { toSeenChange } from './seen-values.ts'
import type { TablePlan, TablePlans } from './table-plans.ts'
import type { ToldRow } from './told-row.ts'

/** What goes out: `dataJson` is the text of `data` in the protocol's `{ids, data}`. */
export type Delivery = {
  readonly ids: readonly number[]
  readonly dataJson: string
  readonly cursor: string
  /** When the transaction committed: `2026-11-22T13:05:12.123456Z`. */
  readonly commitTimestamp: string
  /** Undefined when it only says that something cannot be told. */
  readonly row?: ToldRow | undefined
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
  /** Rejects or throws when it cannot be found out. */
  decide(caller: Caller, bindings: readonly Binding[]): Maybe<readonly Delivery[]>
}

/** `xid` is the number of its transaction, of a change that has just come. */
export function createChangeRun(deps: ChangeRunDeps, change: Change, xid?: number): ChangeRun {
  const seen = toSeenChange(change, xid)
  const choose = createChooseBindings(deps.checks, seen)
  const visibility = createRowVisibility(deps.checks, seen)
  const plans = new Map<string, Maybe<TablePlan | undefined>>()
  const write = createWriter(change)

  const decideWith = (
    plan: TablePlan | undefined,
    caller: Caller,
    bindings: readonly Binding[],
  ): Maybe<readonly Delivery[]> => {
    if (plan === undefined || plan.visibility.kind === 'none') return []
    return after(choose(plan, bindings), (chosen) => {
      if (chosen.length === 0) return []
      const group = plan.groupOf(caller)
      return after(visibility.row(plan, group), (isVisible) => {
        if (isVisible === undefined) return tellUnknown(plan, chosen)
        if (!isVisible) return []
        if (change.kind !== 'delete' && !plan.isKeySelectable) return refuse(plan, chosen, unauthorized)
        const showsOld = change.kind === 'update' && visibility.old(plan, group)
        return toDeliveries(change, chosen, (request) => write(plan.encoderFor(request.select), showsOld))
      })
    })
  }
  const refuse = ({ facts }: TablePlan, bindings: readonly Binding[], error: string): readonly Delivery[] =>
    toDeliveries(change, bindings, () => ({ dataJson: encodeRefusal(facts, change, error) }))

  /** Nobody knows who may see the row: that a condition on more than its key holds would tell about it. */
  const tellUnknown = (plan: TablePlan, bindings: readonly Binding[]): readonly Delivery[] => {
    const { key } = plan.facts
    const told = bindings.filter(({ tests }) => tests.every(({ column }) => key.includes(column)))
    if (change.kind !== 'delete') return refuse(plan, told, withoutKey)
    if (deps.undecidedDeletes === 'withhold') return []
    return toDeliveries(change, told, ({ select }) => write(plan.encoderFor(select), false))
  }
  return {
    decide(caller, bindings) {
      const plan = remember(plans, caller.role, () => deps.plans.find(change.relation, caller.role))
      return after(plan, (found) => decideWith(found, caller, bindings))
    },
  }
}

/** Encodes once for all who see the same columns. */
function createWriter(change: Change): (encoder: ChangeEncoder, showsOld: boolean) => Written {
  const whole = new Map<ChangeEncoder, Written>()
  const withoutOld = new Map<ChangeEncoder, Written>()
  return (encoder, showsOld) =>
    remember(showsOld ? whole : withoutOld, encoder, () => ({
      dataJson: encoder.encode(change, { showsOld }),
      row: { change, encoder },
    }))
}

type Written = Pick<Delivery, 'dataJson' | 'row'>

/** One for each text: requests that see the same share it. */
function toDeliveries(
  { cursor, committedAt: commitTimestamp }: Change,
  bindings: readonly Binding[],
  write: (request: ChangeRequest) => Written,
): readonly Delivery[] {
  const [first, ...others] = bindings
  if (first === undefined) return []
  if (others.length === 0) return [{ ids: [first.id], ...write(first.request), cursor, commitTimestamp }]
  const deliveries = new Map<string, Delivery & { readonly ids: number[] }>()
  for (const { id, request } of bindings) {
    const written = write(request)
    remember(deliveries, written.dataJson, () => ({ ids: [], ...written, cursor, commitTimestamp })).ids.push(id)
  }
  return [...deliveries.values()]
}
