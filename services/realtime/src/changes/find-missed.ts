import type { Change, Relation } from '@pando/changes/change'
import type { Binding } from './choose-bindings.ts'
import { remember } from './maybe.ts'
import { toValues } from './seen-values.ts'
import { toChangeKind } from './subscription-index.ts'

/** A change that somebody missed, and what they asked for that it may be about. */
export type Missed<B extends Binding> = { readonly change: Change; readonly bindings: readonly B[] }

/** A request about a table; of its `eq` and `in` conditions, where the column is and the texts that it may have. */
type Candidate<B> = {
  readonly binding: B
  readonly equal: readonly { readonly at: number; readonly texts: readonly string[] }[]
}

/**
 * What of the log may concern one subscriber, who still has to pass all conditions. Many come back at once, and each has
 * the whole log before them: what is looked at here is what it takes to leave most of it aside.
 */
export function findMissed<B extends Binding>(bindings: readonly B[], changes: readonly Change[]): Missed<B>[] {
  const candidates = new Map<Relation, readonly Candidate<B>[]>()
  const missed: Missed<B>[] = []
  for (const change of changes) {
    const { relation } = change
    const asked = remember(candidates, relation, () => toCandidates(bindings, relation))
    const found = asked.filter((candidate) => mayConcern(candidate, change)).map(({ binding }) => binding)
    if (found.length > 0) missed.push({ change, bindings: found })
  }
  return missed
}

function toCandidates<B extends Binding>(bindings: readonly B[], relation: Relation): readonly Candidate<B>[] {
  const isAbout = ({ request: { schema, table } }: B): boolean =>
    (schema === '*' || schema === relation.schema) && (table === '*' || table === relation.table)
  return bindings.filter(isAbout).map((binding) => ({ binding, equal: toEqual(binding, relation) }))
}

/** A column that is of another type by now is left to the conditions. */
const toEqual = ({ tests }: Binding, { columns }: Relation): Candidate<Binding>['equal'] =>
  tests.flatMap(({ column, typeOid, equalTo: texts }) => {
    const at = columns.findIndex(({ name }) => name === column)
    return texts === undefined || columns[at]?.typeOid !== typeOid ? [] : [{ at, texts }]
  })

function mayConcern({ binding, equal }: Candidate<Binding>, change: Change): boolean {
  const kind = toChangeKind(change)
  const { event } = binding.request
  if (kind === undefined || (event !== '*' && event !== kind)) return false
  if (equal.length === 0) return true
  const values = toValues(change)
  return equal.every(({ at, texts }) => texts.includes(values[at] ?? '\0'))
}
