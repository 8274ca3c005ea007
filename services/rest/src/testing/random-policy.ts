import { people, words } from './callers.ts'
import type { Dice } from './dice.ts'
import type { Condition, Operand, Policy, Table } from './policy-model.ts'

/** Policies of a table; conditions may look into the tables `others`, whose numbers are smaller, so none recurs. */
export function randomPolicies(dice: Dice, table: Table, others: readonly Table[]): Policy[] {
  const scope = { others, depth: 2 }
  return dice.times(dice.number(1, 5), (index): Policy => {
    const command = dice.of(['all', 'all', 'select', 'select', 'insert', 'update', 'delete'] as const)
    const permissive = dice.chance(85)
    const usesUsing = command !== 'insert'
    const usesCheck = command === 'insert' || ((command === 'all' || command === 'update') && dice.chance(40))
    return {
      name: `p${index}`,
      command,
      permissive,
      to: dice.of(['public', 'public', 'anon', 'authenticated']),
      ...(usesUsing ? { using: randomCondition(dice, table, scope) } : {}),
      ...(usesCheck ? { check: randomCondition(dice, table, scope) } : {}),
    }
  })
}

type Scope = { readonly others: readonly Table[]; readonly depth: number }

export function randomCondition(dice: Dice, table: Table, scope: Scope): Condition {
  const { others, depth } = scope
  const deeper = { others, depth: depth - 1 }
  const part = (): Condition => randomCondition(dice, table, deeper)
  if (depth > 0 && dice.chance(35)) {
    if (dice.chance(25)) return { kind: 'not', part: part() }
    return { kind: dice.of(['and', 'or']), parts: [part(), part()] }
  }
  const linked = depth > 0 && others.length > 0 && dice.chance(30) ? randomExists(dice, table, scope) : undefined
  return linked ?? randomTest(dice, table)
}

/** Looks where one of our keys leads, or for a row of the same owner. */
function randomExists(dice: Dice, table: Table, { others }: Scope): Condition {
  const other = dice.of(others)
  const key = table.keys.find((each) => each.table === other.name)
  const link =
    key !== undefined && dice.chance(60) ? { inner: 'id', outer: key.column } : { inner: 'owner', outer: 'owner' }
  const shown = { ...other, columns: other.columns.filter(({ name }) => ['id', 'owner', 'team'].includes(name)) }
  return {
    kind: 'exists',
    table: other.name,
    ...link,
    ...(dice.chance(50) ? { where: randomCondition(dice, shown, { others: [], depth: 0 }) } : {}),
  }
}

function randomTest(dice: Dice, table: Table): Condition {
  const uid: Operand = { kind: 'uid', once: dice.chance(40) }
  const owner: Operand = { kind: 'column', name: 'owner' }
  if (dice.chance(30)) return { kind: 'compare', operator: '=', left: owner, right: uid }
  if (dice.chance(20)) {
    return {
      kind: 'compare',
      operator: '=',
      left: { kind: 'column', name: 'team' },
      right: { kind: 'claim', name: 'team' },
    }
  }
  if (dice.chance(10)) return { kind: 'constant', value: dice.chance(85) }
  if (dice.chance(10)) {
    return {
      kind: 'compare',
      operator: '=',
      left: { kind: 'role' },
      right: { kind: 'literal', value: dice.of(['anon', 'authenticated']) },
    }
  }
  return randomColumnTest(dice, table)
}

function randomColumnTest(dice: Dice, table: Table): Condition {
  const { name, type } = dice.of(table.columns)
  const left: Operand = { kind: 'column', name }
  const literal = (value: string | number | boolean): Operand => ({ kind: 'literal', value })
  if (type === 'jsonb' || dice.chance(15)) return { kind: 'null', column: name }
  if (type === 'int4')
    return { kind: 'compare', operator: dice.of(['=', '<']), left, right: literal(dice.number(0, 8)) }
  if (type === 'bool')
    return { kind: 'compare', operator: dice.of(['=', 'is distinct from']), left, right: literal(dice.chance(50)) }
  const value = type === 'uuid' ? dice.of(people) : dice.of(words)
  return { kind: 'compare', operator: dice.of(['=', 'is distinct from']), left, right: literal(value) }
}
