import type { A_Const, A_Expr, BoolExpr, BooleanTest, NullTest, TypeCast } from 'libpg-query'
import { compileCast } from './compile-cast.ts'
import { compileClaim } from './compile-claim.ts'
import { compileColumn } from './compile-column.ts'
import { type Compiled, type ScalarType, type Scope, toConstant, type Type } from './compiled.ts'
import { and, comparisons, not, or, strictly, toTruth, type Truth } from './logic.ts'
import { type Expression, toLiteralText, toName, unwrapSelect } from '@pando/catalogue/policies/syntax'
import { missing, type Scalar, toInteger, type Value } from './values.ts'

/** Undefined for whatever is not known to mean exactly the same here as in Postgres. */
export function compileExpression(expression: Expression, scope: Scope): Compiled | undefined {
  const node = unwrapSelect(expression)
  if ('BoolExpr' in node) return compileLogic(node.BoolExpr, scope)
  if ('A_Expr' in node) return compileClaim(node, scope) ?? compileOperator(node.A_Expr, scope)
  if ('FuncCall' in node) return compileClaim(node, scope)
  if ('TypeCast' in node) return compileClaim(node, scope) ?? compileTypeCast(node.TypeCast, scope)
  if ('ColumnRef' in node) return compileColumn(node.ColumnRef, scope)
  if ('A_Const' in node) return compileConstant(node.A_Const)
  if ('A_ArrayExpr' in node) return compileArray(node.A_ArrayExpr.elements ?? [], scope)
  if ('NullTest' in node) return compileNullTest(node.NullTest, scope)
  if ('BooleanTest' in node) return compileBooleanTest(node.BooleanTest, scope)
  if ('CoalesceExpr' in node) return compileCoalesce(node.CoalesceExpr.args ?? [], scope)
  return undefined
}

function compileTypeCast(cast: TypeCast, scope: Scope): Compiled | undefined {
  const operand = cast.arg === undefined ? undefined : compileExpression(cast.arg, scope)
  return operand === undefined ? undefined : compileCast(cast, operand)
}

const scalarTypes: ReadonlySet<Type> = new Set(['bool', 'int', 'text', 'uuid'])
const isScalar = (type: Type): type is ScalarType => scalarTypes.has(type)

/** All of them, or undefined when one does not compile. */
function compileAll(expressions: readonly (Expression | undefined)[], scope: Scope): readonly Compiled[] | undefined {
  const compiled = expressions.map((each) => (each === undefined ? undefined : compileExpression(each, scope)))
  return compiled.some((each) => each === undefined) ? undefined : compiled.filter((each) => each !== undefined)
}

function compileLogic({ boolop, args = [] }: BoolExpr, scope: Scope): Compiled | undefined {
  const parts = compileAll(args, scope)
  if (parts === undefined || parts.some(({ type }) => type !== 'bool')) return undefined
  const combine = boolop === 'AND_EXPR' ? and : boolop === 'OR_EXPR' ? or : ([only]: readonly Truth[]) => not(only!)
  return {
    type: 'bool',
    evaluate: (row, claims) => combine(parts.map(({ evaluate }) => toTruth(evaluate(row, claims)))),
  }
}

function compileConstant(constant: A_Const): Compiled | undefined {
  if (constant.isnull === true) return toConstant('null', null)
  if (constant.boolval !== undefined) return toConstant('bool', constant.boolval.boolval ?? false)
  if (constant.ival !== undefined) return toConstant('int', constant.ival.ival ?? 0)
  const digits = constant.fval?.fval
  // A whole number that fits is a bigint, any other is a numeric.
  if (digits !== undefined) return /^\d{1,18}$/.test(digits) ? toConstant('int', toInteger(digits, 'int8')) : undefined
  const text = toLiteralText(constant)
  return text === undefined ? undefined : toConstant('literal', text)
}

function compileOperator(expression: A_Expr, scope: Scope): Compiled | undefined {
  const compare = comparisons[toName(expression.name) ?? '']
  const sides = compileAll([expression.lexpr, expression.rexpr], scope)
  const [left, right] = sides ?? []
  if (compare === undefined || left === undefined || right === undefined || !isScalar(left.type)) return undefined
  // The order of texts is the collation's.
  const isOrder = compare !== comparisons['='] && compare !== comparisons['<>']
  if (isOrder && left.type === 'text') return undefined
  const { kind } = expression
  if (kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL') {
    return right.type === `${left.type}[]`
      ? compileEach(left, right, { compare, isAny: kind === 'AEXPR_OP_ANY' })
      : undefined
  }
  if (left.type !== right.type) return undefined
  if (kind === 'AEXPR_DISTINCT') return compileDistinct(left, right)
  if (kind !== 'AEXPR_OP') return undefined
  return {
    type: 'bool',
    evaluate: (row, claims) => strictly(left.evaluate(row, claims), right.evaluate(row, claims), compare),
  }
}

type Each = { readonly compare: (left: Value, right: Value) => boolean; readonly isAny: boolean }

/** `left = any (array)` and `left <> all (array)`; without elements the left side does not matter. */
function compileEach(left: Compiled, array: Compiled, { compare, isAny }: Each): Compiled {
  return {
    type: 'bool',
    evaluate(row, claims) {
      const value = left.evaluate(row, claims)
      const elements = array.evaluate(row, claims)
      if (elements === missing || elements === null) return elements
      const truths = (elements as readonly (Scalar | null)[]).map((element) => strictly(value, element, compare))
      return isAny ? or(truths) : and(truths)
    },
  }
}

function compileDistinct(left: Compiled, right: Compiled): Compiled {
  return {
    type: 'bool',
    evaluate(row, claims) {
      const a = left.evaluate(row, claims)
      const b = right.evaluate(row, claims)
      return a === missing || b === missing ? missing : a !== b
    },
  }
}

function compileArray(elements: readonly Expression[], scope: Scope): Compiled | undefined {
  const compiled = compileAll(elements, scope)
  const type = compiled?.[0]?.type
  if (compiled === undefined || type === undefined || !isScalar(type)) return undefined
  if (compiled.some((element) => element.type !== type)) return undefined
  return {
    type: `${type}[]`,
    evaluate(row, claims) {
      const values = compiled.map(({ evaluate }) => evaluate(row, claims))
      return values.includes(missing) ? missing : (values as (Scalar | null)[])
    },
  }
}

function compileNullTest({ arg, nulltesttype }: NullTest, scope: Scope): Compiled | undefined {
  const operand = arg === undefined ? undefined : compileExpression(arg, scope)
  if (operand === undefined || operand.type === 'literal') return undefined
  const isNull = nulltesttype === 'IS_NULL'
  return {
    type: 'bool',
    evaluate(row, claims) {
      const value = operand.evaluate(row, claims)
      return value === missing ? missing : (value === null) === isNull
    },
  }
}

const booleanTests: Readonly<Record<string, (value: Value) => boolean>> = {
  IS_TRUE: (value) => value === true,
  IS_NOT_TRUE: (value) => value !== true,
  IS_FALSE: (value) => value === false,
  IS_NOT_FALSE: (value) => value !== false,
  IS_UNKNOWN: (value) => value === null,
  IS_NOT_UNKNOWN: (value) => value !== null,
}

function compileBooleanTest({ arg, booltesttype }: BooleanTest, scope: Scope): Compiled | undefined {
  const operand = arg === undefined ? undefined : compileExpression(arg, scope)
  const test = booleanTests[booltesttype ?? '']
  if (operand?.type !== 'bool' || test === undefined) return undefined
  return {
    type: 'bool',
    evaluate(row, claims) {
      const value = operand.evaluate(row, claims)
      return value === missing ? missing : test(value)
    },
  }
}

function compileCoalesce(args: readonly Expression[], scope: Scope): Compiled | undefined {
  const parts = compileAll(args, scope)
  const type = parts?.[0]?.type
  if (parts === undefined || type === undefined || !isScalar(type) || parts.some((part) => part.type !== type))
    return undefined
  return {
    type,
    evaluate(row, claims) {
      const values = parts.map(({ evaluate }) => evaluate(row, claims))
      return values.find((value) => value !== null) ?? null
    },
  }
}
