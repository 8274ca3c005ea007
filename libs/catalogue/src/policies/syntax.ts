import type { A_Const, FuncCall, Node, TypeName } from 'libpg-query'

/** A part of an expression, as Postgres' own parser gives it. */
export type Expression = Node

/**
 * Parses expressions as pg_get_expr prints them; undefined for one that does not parse. The parser is Postgres' own,
 * compiled to WebAssembly: it is loaded when a table with policies is first asked about, because it takes 24 MB.
 */
export async function parseExpressions(texts: readonly string[]): Promise<readonly (Expression | undefined)[]> {
  if (texts.length === 0) return []
  const parser = await import('libpg-query')
  await parser.loadModule()
  return texts.map((text) => {
    try {
      return toExpression(parser.parseSync(`select ${text}`).stmts?.[0]?.stmt)
    } catch (error) {
      if (parser.hasSqlDetails(error)) return undefined
      throw error
    }
  })
}

/** Loads the parser, so that the first change of a row need not wait for it. */
export const loadParser = async (): Promise<void> => void (await parseExpressions(['true']))

/** What `select …` selects, when it does nothing else. */
export function toExpression(statement: Expression | undefined): Expression | undefined {
  if (statement === undefined || !('SelectStmt' in statement)) return undefined
  const { targetList = [], limitOption: _limit, op: _set, ...rest } = statement.SelectStmt
  const [target] = targetList
  if (Object.keys(rest).length > 0 || targetList.length !== 1 || target === undefined) return undefined
  return 'ResTarget' in target ? target.ResTarget.val : undefined
}

/** Takes off `(select …)` around an expression, which policies use to have it computed once. */
export function unwrapSelect(expression: Expression): Expression {
  if (!('SubLink' in expression) || expression.SubLink.subLinkType !== 'EXPR_SUBLINK') return expression
  return toExpression(expression.SubLink.subselect) ?? expression
}

/** A name of one or more parts, `auth.uid` for example; undefined when a part is no name. */
export function toName(parts: readonly Expression[] | undefined): string | undefined {
  const names = parts?.map((part) => ('String' in part ? part.String.sval : undefined))
  return names === undefined || names.includes(undefined) ? undefined : names.join('.')
}

export const toFunctionName = (call: FuncCall): string | undefined => toName(call.funcname)

/** `text`, `int4`, `public.mood`; undefined for arrays and for types with modifiers such as `varchar(10)`. */
export function toTypeName(type: TypeName | undefined): string | undefined {
  if (type === undefined || type.arrayBounds !== undefined || type.typmods !== undefined) return undefined
  return toName(type.names)?.replace(/^pg_catalog\./, '')
}

/** The text of a literal, with or without `::text`. */
export function toTextLiteral(expression: Expression | undefined): string | undefined {
  if (expression === undefined) return undefined
  if ('TypeCast' in expression) {
    const { arg, typeName } = expression.TypeCast
    return toTypeName(typeName) === 'text' ? toTextLiteral(arg) : undefined
  }
  return 'A_Const' in expression ? toLiteralText(expression.A_Const) : undefined
}

/** What stands between quotes; the parser leaves empty members out. */
export function toLiteralText(literal: A_Const): string | undefined {
  return literal.sval === undefined ? undefined : (literal.sval.sval ?? '')
}
