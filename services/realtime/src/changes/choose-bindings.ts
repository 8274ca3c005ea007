import type { FilterTest, Holds } from './filter-test.ts'
import { after, allOf, type Maybe, remember } from './maybe.ts'
import type { ChangeRequest } from './request.ts'
import type { RowChecks } from './row-checks.ts'
import type { SeenChange } from './seen-values.ts'
import type { TablePlan } from './table-plans.ts'

/** One request of a subscriber: the id that it has on the wire, and its conditions. */
export type Binding = { readonly id: number; readonly request: ChangeRequest; readonly tests: readonly FilterTest[] }

/** Finds the requests whose conditions a change meets; what Postgres has to decide is asked once for all subscribers. */
export type ChooseBindings = (plan: TablePlan, bindings: readonly Binding[]) => Maybe<readonly Binding[]>

/** The result throws when a condition is about a column that has another type by now. */
export function createChooseBindings(checks: RowChecks, seen: SeenChange): ChooseBindings {
  const asked = new Map<string, Promise<Holds>>()

  const ask = (test: FilterTest, value: string | null): Promise<Holds> => {
    const question = test.toQuestion(value)
    return remember(asked, JSON.stringify(question), async () => (await checks.ask(seen.table, question))[0] as Holds)
  }
  const holds = (test: FilterTest, plan: TablePlan): Maybe<Holds> => {
    const { column, typeOid } = test
    const value = seen.valueOf(column)
    // Nobody learns from a condition what they may not read; of what was not sent nothing is known.
    if (!plan.selectable.has(column) || value === undefined) return false
    if (seen.typeOf(column) !== typeOid) throw new Error(`column ${column} of ${seen.table} has another type by now`)
    const here = test.holds(value)
    return here === undefined ? after(ask(test, value), (late) => negateIf(test, late)) : negateIf(test, here)
  }
  const passes = ({ tests }: Binding, plan: TablePlan): Maybe<boolean> => {
    const verdicts = tests.map((test) => holds(test, plan))
    if (verdicts.some((verdict) => verdict === false || verdict === null)) return false
    return after(allOf(verdicts), (settled) => settled.every((verdict) => verdict === true))
  }
  return (plan, bindings) => {
    if (bindings.every(({ tests }) => tests.length === 0)) return bindings
    const passed = allOf(bindings.map((binding) => passes(binding, plan)))
    return after(passed, (verdicts) => bindings.filter((_, at) => verdicts[at]))
  }
}

function negateIf({ filter }: FilterTest, holds: Holds): Holds {
  return filter.negate && typeof holds === 'boolean' ? !holds : holds
}
