import type { Relation, Values } from '@pando/changes/change'
import type { PolicyFacts, TableFacts } from '../facts.ts'
import { compileExpression } from './compile-expression.ts'
import { and, or, toTruth, type Truth } from './logic.ts'
import type { Expression } from '@pando/catalogue/policies/syntax'
import type { PolicyClaims } from '@pando/catalogue/policies/policy-claims'
import { missing, Undecided } from './values.ts'

/**
 * Whether policies let somebody see a row, as the log has it, without asking Postgres. Undefined when they do not say:
 * a value is missing, or Postgres would have raised an error.
 */
export type Predicate = (row: Values, claims: PolicyClaims) => boolean | undefined

export type ParsedPolicy = PolicyFacts & { readonly expression: Expression | undefined }

/**
 * Compiles all policies of a table together: one of the permissive ones and every restrictive one must hold (manual,
 * 5.9). Undefined when one of them is more than what is provably the same here: then Postgres is asked.
 *
 * Nothing is skipped while evaluating, although `and` and `or` could: whether Postgres gets to the part that raises is
 * the planner's choice.
 */
export function compilePolicies(
  policies: readonly ParsedPolicy[],
  facts: TableFacts,
  relation: Relation,
): Predicate | undefined {
  const compiled = policies.map(({ expression, isPermissive }) => {
    const condition = expression === undefined ? undefined : compileExpression(expression, { facts, relation })
    return condition?.type === 'bool' ? { isPermissive, evaluate: condition.evaluate } : undefined
  })
  if (compiled.some((each) => each === undefined)) return undefined
  const all = compiled.filter((each) => each !== undefined)
  const permissive = all.filter(({ isPermissive }) => isPermissive)
  const restrictive = all.filter(({ isPermissive }) => !isPermissive)
  return (row, claims) => {
    const holds = ({ evaluate }: (typeof all)[number]): Truth => toTruth(evaluate(row, claims))
    try {
      const truth = and([or(permissive.map(holds)), ...restrictive.map(holds)])
      return truth === missing ? undefined : truth === true
    } catch (error) {
      if (error instanceof Undecided) return undefined
      throw error
    }
  }
}
