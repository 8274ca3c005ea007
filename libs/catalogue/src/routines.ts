import { nameKey } from './catalogue.ts'
import type { CompositeType, Routine, RoutineParameter } from './catalogue.ts'
import type { CompositeFact, RoutineFact } from './facts.ts'
import { compareTexts } from './relationship-order.ts'
import { toSetting } from './settings.ts'
import { unbounded } from './type-table.ts'
import type { ResolvedType, ResolveType } from './type-table.ts'

/** Types that a whole request body can become when a function has one parameter without a name. */
const bodyTypes: ReadonlySet<string> = new Set(['bytea', 'json', 'jsonb', 'text', 'xml'])

/**
 * Whether a request can name what it passes: all parameters have names, or there is a single one without, of a type
 * that takes the whole body.
 */
export function isCallable(routine: Routine): boolean {
  const unnamed = routine.parameters.filter((parameter) => parameter.name === '')
  if (unnamed.length === 0) return true
  return routine.parameters.length === 1 && bodyTypes.has(routine.parameters[0]?.type ?? '')
}

/**
 * Whether a function is one over rows, `relation.function`: it has a single parameter, which takes a relation's row.
 */
export function takesOneRow(routine: Routine): boolean {
  return routine.parameters.length === 1 && routine.parameters[0]?.relation !== undefined
}

export function toRoutine(fact: RoutineFact, resolveType: ResolveType): Routine {
  const [schema, name, comment, , , , , isVariadic, , , rows, volatility, settings] = fact
  return {
    schema,
    name,
    comment: comment ?? undefined,
    parameters: toParameters(fact, resolveType),
    returns: toReturns(fact, resolveType),
    volatility: volatilities[volatility],
    isVariadic,
    rows: fact[9] ? rows : undefined,
    settings: (settings ?? []).map(toSetting),
  }
}

const volatilities = { v: 'volatile', s: 'stable', i: 'immutable' } as const

/** The modes of `pg_proc.proargmodes`: in, in and out, variadic; and out, in and out, table. */
const inputModes = 'ibv'
const outputModes = 'obt'

function toParameters(fact: RoutineFact, resolveType: ResolveType): RoutineParameter[] {
  const [, , , types, modes, names, defaults] = fact
  const inputs = types.flatMap((oid, at) => {
    const mode = modes?.[at] ?? 'i'
    return inputModes.includes(mode) ? [{ oid, mode, name: names?.[at] ?? '' }] : []
  })
  return inputs.map(({ oid, mode, name }, at) => {
    const type = resolveType(oid)
    return {
      name,
      type: type.text,
      baseType: type.baseText,
      typeName: type.typeName,
      isArray: type.isArray,
      required: at < inputs.length - defaults,
      isVariadic: mode === 'v',
      relation: type.isArray ? undefined : type.relation,
    }
  })
}

function toReturns(fact: RoutineFact, resolveType: ResolveType): Routine['returns'] {
  const [, , , types, modes, names, , , result, isSet] = fact
  const columns = types.flatMap((oid, at) =>
    outputModes.includes(modes?.[at] ?? 'i') ? [{ name: names?.[at] ?? '', ...toColumnType(resolveType(oid)) }] : [],
  )
  return {
    isSet,
    type: toReturnType(resolveType(result), columns.length > 0),
    ...(columns.length === 0 ? {} : { columns }),
  }
}

const toColumnType = (type: ResolvedType) => ({ type: type.text, typeName: type.typeName, isArray: type.isArray })

function toReturnType(type: ResolvedType, hasOutputs: boolean): Routine['returns']['type'] {
  const { typeName: name, text, isArray, isDomain, relation } = type
  if (name.name === 'void' && name.schema === 'pg_catalog') return { kind: 'void' }
  const isComposite = hasOutputs || (type.kind === 'c' && !isArray)
  return isComposite
    ? { kind: 'composite', name, text, relation: isArray ? undefined : relation, isDomain }
    : { kind: 'scalar', name, text, isArray }
}

export function toCompositeType([schema, name, columns]: CompositeFact, resolveType: ResolveType): CompositeType {
  return {
    schema,
    name,
    columns: columns.map(([column, oid, text]) => {
      const type = resolveType(oid)
      return { name: column, type: text ?? unbounded(type.text), typeName: type.typeName, isArray: type.isArray }
    }),
  }
}

/** By name; of overloads those with fewer parameters come first, then by what a reader sees of them. */
export function compareRoutines(a: Routine, b: Routine): number {
  const byName = compareTexts(nameKey(a), nameKey(b))
  return byName || a.parameters.length - b.parameters.length || compareTexts(describe(a), describe(b))
}

const describe = (routine: Routine): string =>
  [routine.comment ?? '', ...routine.parameters.flatMap(({ name, type }) => [name, type])].join('\0')
