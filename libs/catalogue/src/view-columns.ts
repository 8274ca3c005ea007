import { listItems, nodeFields, nodeType } from './node-tree.ts'
import type { NodeText } from './node-tree.ts'

/** Postgres' object id as text, and a column's number in its relation. */
export type ObjectId = string
export type ColumnOrigin = { readonly relation: ObjectId; readonly column: number }

/** What the stored query of a view says about one of its columns. */
export type ViewColumn = {
  readonly column: number
  /** The column of a table or view that this one shows unchanged; not known for expressions and set operations. */
  readonly origin?: ColumnOrigin
  /** The value cannot be null when this says `always`, or when any of these columns can never be null. */
  readonly notNullIf: NotNullProof
}

type NotNullProof = 'always' | readonly ColumnOrigin[]

/**
 * The columns of a view, read from the text of its rule (`pg_rewrite.ev_action`). Postgres notes the origin of each
 * output column itself, through joins, subqueries and common table expressions, one view deep.
 */
export function readViewColumns(action: NodeText): ViewColumn[] {
  const [query] = listItems(action)
  if (query === undefined) return []
  const scope = toScope(query)
  return listItems(scope.fields.get('targetList')).flatMap((text) => {
    const entry = nodeFields(text)
    if (entry.get('resjunk') === 'true') return []
    const relation = entry.get('resorigtbl') ?? '0'
    const column = Number(entry.get('resorigcol'))
    return [
      {
        column: Number(entry.get('resno')),
        ...(relation !== '0' && column > 0 ? { origin: { relation, column } } : {}),
        notNullIf: outputProof(scope, entry.get('expr')),
      },
    ]
  })
}

/** A query and those around it, which the names of common table expressions refer to. Lists are cut apart once. */
type Scope = {
  readonly text: NodeText
  readonly fields: Fields
  readonly outer?: Scope
  /** The tables, subqueries and joins that variables refer to by position. */
  readonly entries: () => readonly Fields[]
  /** The expressions of the output columns, by number. */
  readonly outputs: () => ReadonlyMap<number, NodeText>
  /** The scope of a query inside this one. */
  readonly inner: (text: NodeText) => Scope
}

type Fields = ReadonlyMap<string, NodeText>

function toScope(text: NodeText, outer?: Scope): Scope {
  const fields = nodeFields(text)
  const inner = new Map<NodeText, Scope>()
  const scope: Scope = {
    text,
    fields,
    outer,
    entries: once(() => listItems(fields.get('rtable')).map(nodeFields)),
    outputs: once(() => new Map(listItems(fields.get('targetList')).map(nodeFields).map(toOutput))),
    inner(text) {
      const found = inner.get(text) ?? toScope(text, scope)
      inner.set(text, found)
      return found
    },
  }
  return scope
}

const toOutput = (entry: Fields) => [Number(entry.get('resno')), entry.get('expr') ?? '<>'] as const

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

const unproven: NotNullProof = []

/** PostgreSQL's ids of `count(*)` and `count(any)`. */
const countFunctions: ReadonlySet<string | undefined> = new Set(['2803', '2147'])

/** Rows of a set operation come from several queries, and grouping sets put nulls into the columns they leave out. */
function outputProof(scope: Scope, expression: NodeText | undefined): NotNullProof {
  const isPlain = scope.fields.get('setOperations') === '<>' && scope.fields.get('groupingSets') === '<>'
  return isPlain && expression !== undefined ? expressionProof(scope, expression) : unproven
}

function expressionProof(scope: Scope, expression: NodeText): NotNullProof {
  switch (nodeType(expression)) {
    case 'VAR':
      return variableProof(scope, nodeFields(expression))
    case 'CONST':
      return nodeFields(expression).get('constisnull') === 'false' ? 'always' : unproven
    case 'AGGREF':
      return countFunctions.has(nodeFields(expression).get('aggfnoid')) ? 'always' : unproven
    case 'COALESCEEXPR':
      return anyProof(listItems(nodeFields(expression).get('args')).map((part) => expressionProof(scope, part)))
    default:
      return unproven
  }
}

const anyProof = (proofs: readonly NotNullProof[]): NotNullProof =>
  proofs.includes('always') ? 'always' : proofs.flatMap((proof) => (proof === 'always' ? [] : proof))

/** The kinds of range table entries (`RTEKind`) that a proof can look through. */
const entryKinds = { relation: '0', subquery: '1', join: '2', cte: '6', group: '9' }

function variableProof(scope: Scope, variable: Fields): NotNullProof {
  const column = Number(variable.get('varattno'))
  if (variable.get('varlevelsup') !== '0' || column < 1 || mayBeNulledByJoin(scope, variable)) return unproven
  const entry = scope.entries()[Number(variable.get('varno')) - 1]
  switch (entry?.get('rtekind')) {
    case entryKinds.relation:
      return [{ relation: entry?.get('relid') ?? '0', column }]
    case entryKinds.subquery:
      return queryProof(scope.inner(entry?.get('subquery') ?? ''), column)
    case entryKinds.cte:
      return commonTableProof(scope, entry, column)
    case entryKinds.join:
      return aliasProof(scope, entry?.get('joinaliasvars'), column)
    case entryKinds.group:
      return aliasProof(scope, entry?.get('groupexprs'), column)
    default:
      return unproven
  }
}

/** PostgreSQL 16 and later note at each variable which outer joins can null it; before, any outer join may. */
function mayBeNulledByJoin(scope: Scope, variable: Fields): boolean {
  const joins = variable.get('varnullingrels')
  return joins === undefined ? /:jointype [1-3]/.test(scope.text) : joins !== '(b)'
}

function aliasProof(scope: Scope, expressions: NodeText | undefined, column: number): NotNullProof {
  const expression = listItems(expressions)[column - 1]
  return expression === undefined ? unproven : expressionProof(scope, expression)
}

function queryProof(scope: Scope, column: number): NotNullProof {
  return outputProof(scope, scope.outputs().get(column))
}

function commonTableProof(scope: Scope, entry: Fields | undefined, column: number): NotNullProof {
  let home: Scope | undefined = scope
  for (let level = Number(entry?.get('ctelevelsup')); level > 0; level--) home = home?.outer
  for (const text of listItems(home?.fields.get('cteList'))) {
    const table = nodeFields(text)
    if (table.get('ctename') !== entry?.get('ctename')) continue
    const isRecursive = table.get('cterecursive') !== 'false'
    return home === undefined || isRecursive ? unproven : queryProof(home.inner(table.get('ctequery') ?? ''), column)
  }
  return unproven
}
