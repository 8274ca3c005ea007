import type {
  Caller,
  Command,
  Condition,
  Data,
  Operand,
  Policy,
  Role,
  Row,
  Schema,
  Table,
  Value,
  View,
} from './policy-model.ts'
import { tableOf } from './policy-model.ts'

/**
 * What row security decides by, in plain TypeScript: PostgreSQL's documentation of `create policy`, nothing of our
 * code.
 */
export type World = {
  readonly schema: Schema
  readonly data: Data
  readonly claims: Readonly<Record<string, string>>
  /** Rows that a role sees, kept because policies look into them again and again. */
  readonly seen: Map<string, readonly Row[]>
}

/** What a caller's requests meet. Who shows no token is `anon`. */
export function worldOf(schema: Schema, data: Data, caller: Caller): World {
  return { schema, data, claims: caller.claims ?? { role: caller.role }, seen: new Map() }
}

/** SQL's three values. */
type Truth = boolean | null

/** The rows of a table that a role may read. */
export function visibleRows(world: World, role: Role, name: string): readonly Row[] {
  const key = `${role} ${name}`
  const known = world.seen.get(key)
  if (known !== undefined) return known
  const table = tableOf(world.schema, name)
  const rows = (world.data[name] ?? []).filter((row) => mayTouch(world, role, { table, row, command: 'select' }))
  world.seen.set(key, rows)
  return rows
}

/** The rows of a view: its own condition is asked of what its reader, or its owner, may read. */
export function viewRows(world: World, role: Role, view: View): readonly Row[] {
  const reader = view.as === 'caller' ? role : view.as
  return visibleRows(world, reader, view.table)
    .filter((row) => view.where === undefined || holds(world, reader, { condition: view.where, row }))
    .map((row) => Object.fromEntries(view.columns.map((name) => [name, row[name] ?? null])))
}

type Touch = { readonly table: Table; readonly row: Row; readonly command: Command }

/** Whether the `using` of the policies for a command lets a role at an existing row. */
export function mayTouch(world: World, role: Role, { table, row, command }: Touch): boolean {
  return passes(world, role, { table, row, command, side: 'using' })
}

/** Whether the `check` of the policies for a command lets a role leave a row behind. */
export function mayLeave(world: World, role: Role, { table, row, command }: Touch): boolean {
  return passes(world, role, { table, row, command, side: 'check' })
}

/** One permissive policy must hold, and every restrictive one. */
function passes(world: World, role: Role, touch: Touch & { readonly side: 'using' | 'check' }): boolean {
  if (role === 'owner' || role === 'service_role') return true
  const { table, row, command, side } = touch
  const applying = table.policies.filter(
    (policy) =>
      (policy.command === 'all' || policy.command === command) && (policy.to === 'public' || policy.to === role),
  )
  const ask = (policy: Policy): boolean => {
    const condition = side === 'check' ? (policy.check ?? policy.using) : policy.using
    return condition === undefined || holds(world, role, { condition, row })
  }
  return (
    applying.some((policy) => policy.permissive && ask(policy)) &&
    applying.every((policy) => policy.permissive || ask(policy))
  )
}

type Asked = { readonly condition: Condition; readonly row: Row }

function holds(world: World, role: Role, asked: Asked): boolean {
  return evaluate(world, role, asked) === true
}

function evaluate(world: World, role: Role, { condition, row }: Asked): Truth {
  switch (condition.kind) {
    case 'constant':
      return condition.value
    case 'null':
      return (row[condition.column] ?? null) === null
    case 'not':
      return negate(evaluate(world, role, { condition: condition.part, row }))
    case 'and':
      return all(condition.parts.map((part) => evaluate(world, role, { condition: part, row })))
    case 'or':
      return negate(all(condition.parts.map((part) => negate(evaluate(world, role, { condition: part, row })))))
    case 'compare':
      return compare(
        condition.operator,
        operandValue(world, condition.left, row),
        operandValue(world, condition.right, row),
      )
    case 'exists': {
      const { table, inner, outer, where } = condition
      const wanted = row[outer] ?? null
      const fits = (other: Row): boolean => where === undefined || holds(world, role, { condition: where, row: other })
      return wanted !== null && visibleRows(world, role, table).some((other) => other[inner] === wanted && fits(other))
    }
  }
}

export function negate(truth: Truth): Truth {
  return truth === null ? null : !truth
}

export function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes(null) ? null : true
}

function compare(operator: '=' | '<' | 'is distinct from', left: Value, right: Value): Truth {
  if (operator === 'is distinct from') return left !== right
  if (left === null || right === null) return null
  return operator === '=' ? left === right : left < right
}

function operandValue({ claims }: World, operand: Operand, row: Row): Value {
  switch (operand.kind) {
    case 'column':
      return row[operand.name] ?? null
    case 'literal':
      return operand.value
    case 'uid':
      return claims['sub'] ?? null
    case 'claim':
      return claims[operand.name] ?? null
    case 'role':
      return claims['role'] ?? null
  }
}
