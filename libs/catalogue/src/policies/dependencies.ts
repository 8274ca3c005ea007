import type { ClaimFunction } from './claim-functions.ts'
import { type Expression, toFunctionName, toName, toTextLiteral, toTypeName, unwrapSelect } from './syntax.ts'

/** What a policy looks at; `all` when it cannot be said. */
export type Dependencies = {
  /** Claims of the token, by name. The role is always looked at. */
  readonly claims: ReadonlySet<string> | 'all'
  /** Columns of its table. */
  readonly columns: ReadonlySet<string> | 'all'
  /** What may look at anything at all, settings and other tables too: the first of it, as it is written. */
  readonly opaque: string | undefined
  /** The same row may be seen now and not in a moment, with nothing written in between. */
  readonly asksTime: boolean
}

/** What has to be known of a table, and of the database, to tell. */
export type PolicyScope = {
  readonly columns: readonly { readonly name: string }[]
  /** What subqueries of policies read has row security or policies of its own, or is no plain table. */
  readonly readsGuarded: boolean
  readonly claimFunctions: readonly ClaimFunction[]
}

type Found = { -readonly [Name in keyof Dependencies]: Dependencies[Name] } & {
  claims: Set<string> | 'all'
  columns: Set<string> | 'all'
}

/** Unites what the expressions of all policies of a table look at; undefined is an expression that did not parse. */
export function toDependencies(expressions: readonly (Expression | undefined)[], facts: PolicyScope): Dependencies {
  // Row security of the tables that are read, and what views are made of, may ask for any claim.
  const claims = facts.readsGuarded ? 'all' : new Set<string>()
  const found: Found = { claims, columns: new Set(), opaque: undefined, asksTime: false }
  for (const expression of expressions) {
    if (expression === undefined)
      return { claims: 'all', columns: 'all', opaque: 'an unknown expression', asksTime: true }
    visit(expression, facts, found)
  }
  return found
}

const claimOf: Readonly<Record<Exclude<ClaimFunction, 'jwt'>, string>> = { uid: 'sub', role: 'role', email: 'email' }

const toWords = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Functions of pg_catalog that tell the time. */
const clocks = toWords('now statement_timestamp transaction_timestamp clock_timestamp timeofday')

/** Functions of pg_catalog that policies use and that look at nothing but their arguments. */
const quiet = toWords(
  `date_trunc date_part extract age timezone to_timestamp
  to_char to_date make_interval lower upper length char_length character_length octet_length btrim ltrim rtrim substring
  substr left right replace split_part starts_with strpos position concat concat_ws md5 string_to_array array_to_string
  array_length cardinality array_position array_append array_remove unnest count min max sum avg bool_or bool_and every
  array_agg string_agg abs floor ceil ceiling round trunc mod power sqrt greatest least jsonb_array_length json_array_length
  jsonb_array_elements json_array_elements jsonb_array_elements_text json_array_elements_text jsonb_typeof json_typeof
  jsonb_build_object jsonb_build_array jsonb_extract_path jsonb_extract_path_text to_jsonb jsonb_exists generate_series`,
)

const timeTypes = toWords('date time timetz timestamp timestamptz')

function visit(node: unknown, facts: PolicyScope, found: Found): void {
  if (Array.isArray(node)) {
    for (const each of node) visit(each, facts, found)
    return
  }
  if (typeof node !== 'object' || node === null) return
  const claim = toClaim(node as Expression, facts)
  if (claim !== undefined) {
    addTo(found, 'claims', claim)
    return
  }
  note(node as Expression, facts, found)
  for (const each of Object.values(node)) visit(each, facts, found)
}

/** One kind of node and what it adds; what is inside of it is visited afterwards. */
function note(node: Expression, facts: PolicyScope, found: Found): void {
  if ('FuncCall' in node) return noteCall(node, facts, found)
  if ('ColumnRef' in node) return noteColumn(node, facts, found)
  if ('A_Expr' in node && !isOfCatalogue(node.A_Expr.name)) noteOpaque(found, toName(node.A_Expr.name))
  if ('TypeCast' in node) noteCast(node, found)
  if ('SQLValueFunction' in node && /DATE|TIME/.test(node.SQLValueFunction.op ?? '')) found.asksTime = true
  if ('RangeVar' in node && !isUsers(node.RangeVar.schemaname)) found.opaque ??= node.RangeVar.relname
  if ('RangeTableSample' in node) found.opaque ??= 'tablesample'
}

function noteCall(node: Call, facts: PolicyScope, found: Found): void {
  const name = toFunctionName(node.FuncCall)?.replace(/^pg_catalog\./, '')
  const { args = [] } = node.FuncCall
  if (toClaimFunction(node, facts) !== undefined) {
    found.claims = 'all'
  } else if (name === 'current_setting') {
    const isOfClaims = toTextLiteral(args[0])?.toLowerCase().startsWith('request.jwt.')
    // Policies of realtime find no other settings of the request.
    if (isOfClaims !== false) found.claims = 'all'
    if (isOfClaims !== true) found.opaque ??= name
  } else if (name !== undefined && (clocks.has(name) || (name === 'age' && args.length < 2))) {
    found.asksTime = true
  } else if (name === undefined || !quiet.has(name)) noteOpaque(found, name)
}

/** A literal that is cast was one value from the day that the policy was made. */
function noteCast({ TypeCast: { arg, typeName } }: Cast, found: Found): void {
  if (arg !== undefined && 'A_Const' in arg) return
  if (!isOfCatalogue(typeName?.names)) return noteOpaque(found, toName(typeName?.names))
  if (timeTypes.has(toTypeName(typeName) ?? '')) found.asksTime = true
}

function noteColumn({ ColumnRef: { fields = [] } }: ColumnOf, facts: PolicyScope, found: Found): void {
  const last = toName(fields.slice(-1))
  const isRow = last === undefined || (fields.length === 1 && !hasColumn(facts, last))
  // A name that is no column of this table belongs to a table of a subquery.
  if (isRow) found.columns = 'all'
  else if (hasColumn(facts, last)) addTo(found, 'columns', last)
}

function noteOpaque(found: Found, name = 'something'): void {
  found.claims = 'all'
  found.opaque ??= name
}

type Call = Extract<Expression, { FuncCall: unknown }>
type Cast = Extract<Expression, { TypeCast: unknown }>
type ColumnOf = Extract<Expression, { ColumnRef: unknown }>

/** Tables of users are printed with their schema; those of Postgres are no tables that a log tells of. */
const isUsers = (schema: string | undefined): boolean =>
  schema !== undefined && !schema.startsWith('pg_') && schema !== 'information_schema'

const hasColumn = (facts: PolicyScope, name: string): boolean => facts.columns.some((column) => column.name === name)

function addTo(found: Found, what: 'claims' | 'columns', name: string): void {
  const names = found[what]
  if (names !== 'all') names.add(name)
}

/** Operators and types that Postgres prints without a schema are its own. */
function isOfCatalogue(parts: readonly Expression[] | undefined): boolean {
  return parts !== undefined && (parts.length === 1 || toName(parts.slice(0, 1)) === 'pg_catalog')
}

/** The one claim that an expression gives, `auth.uid()` or `auth.jwt() ->> 'org'`. */
function toClaim(node: Expression, facts: PolicyScope): string | undefined {
  if ('FuncCall' in node) {
    const name = toClaimFunction(node, facts)
    return name === undefined || name === 'jwt' ? undefined : claimOf[name]
  }
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP' || node.A_Expr.lexpr === undefined) return undefined
  const operator = toName(node.A_Expr.name)
  const isMember = operator === '->' || operator === '->>' || operator === '?'
  return isMember && isClaims(node.A_Expr.lexpr, facts) ? toTextLiteral(node.A_Expr.rexpr) : undefined
}

/** Which function of the request's claims is called, if its source is the known one. */
export function toClaimFunction(node: Expression, facts: PolicyScope): ClaimFunction | undefined {
  if (!('FuncCall' in node) || node.FuncCall.args !== undefined) return undefined
  const name = toFunctionName(node.FuncCall)
  return facts.claimFunctions.find((known) => name === `auth.${known}`)
}

/** Whether an expression is the whole of the claims, as JSON. */
export function isClaims(expression: Expression, facts: PolicyScope): boolean {
  const node = unwrapSelect(expression)
  if (toClaimFunction(node, facts) === 'jwt') return true
  if (!('TypeCast' in node) || !['json', 'jsonb'].includes(toTypeName(node.TypeCast.typeName) ?? '')) return false
  const setting = node.TypeCast.arg === undefined ? undefined : unwrapSelect(node.TypeCast.arg)
  if (setting === undefined || !('FuncCall' in setting)) return false
  const name = toFunctionName(setting.FuncCall)?.replace(/^pg_catalog\./, '')
  return name === 'current_setting' && toTextLiteral(setting.FuncCall.args?.[0]) === 'request.jwt.claims'
}
