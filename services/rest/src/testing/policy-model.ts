/**
 * A small database as data: the oracle reads it, `write-schema.ts` writes it as SQL. Everything that a policy may be
 * made of here has one meaning in both.
 */
export type Value = string | number | boolean | null | { readonly [key: string]: string | number | null }
export type Row = Readonly<Record<string, Value>>
export type ColumnType = 'int4' | 'text' | 'uuid' | 'bool' | 'jsonb'
export type Column = { readonly name: string; readonly type: ColumnType }

/** The role that a statement is checked against; `owner` is who owns everything and passes every policy. */
export type Role = 'anon' | 'authenticated' | 'service_role' | 'owner'
export const apiRoles = ['anon', 'authenticated', 'service_role'] as const

/** Refers to the `id` of a table. */
export type ForeignKey = {
  readonly constraint: string
  readonly column: string
  readonly table: string
  readonly unique: boolean
}

export type Command = 'select' | 'insert' | 'update' | 'delete'
export type Policy = {
  readonly name: string
  readonly command: Command | 'all'
  readonly permissive: boolean
  readonly to: 'public' | 'anon' | 'authenticated'
  readonly using?: Condition
  readonly check?: Condition
}

export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | {
      readonly kind: 'compare'
      readonly operator: '=' | '<' | 'is distinct from'
      readonly left: Operand
      readonly right: Operand
    }
  | { readonly kind: 'null'; readonly column: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  /** A row of another table whose `inner` column equals our `outer` column. The other table has a smaller number. */
  | {
      readonly kind: 'exists'
      readonly table: string
      readonly inner: string
      readonly outer: string
      readonly where?: Condition
    }

export type Operand =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: Value }
  /** `auth.uid()`, as a sub-select when `once`. */
  | { readonly kind: 'uid'; readonly once: boolean }
  | { readonly kind: 'claim'; readonly name: string }
  | { readonly kind: 'role' }

/** What a role may do; of reading, which columns. */
export type Grant = { readonly select: readonly string[]; readonly commands: readonly Command[] }

export type Table = {
  readonly name: string
  readonly columns: readonly Column[]
  readonly primaryKey: readonly string[]
  readonly keys: readonly ForeignKey[]
  readonly policies: readonly Policy[]
  readonly grants: Readonly<Record<(typeof apiRoles)[number], Grant>>
}

export type View = {
  readonly name: string
  readonly table: string
  readonly columns: readonly string[]
  /** As whom the table below is read: the caller, the owner of everything, or the role `authenticated`. */
  readonly as: 'caller' | 'owner' | 'authenticated'
  readonly where?: Condition
}

/** A computed relationship: `name(table)` gives the rows of `target` whose `inner` equals the row's `outer`. */
export type Link = {
  readonly name: string
  readonly table: string
  readonly target: string
  readonly outer: string
  readonly inner: string
}

/** `name()` gives the rows of a table, read by the caller or (a security definer) by the owner. */
export type RowsFunction = { readonly name: string; readonly table: string; readonly as: 'caller' | 'owner' }

export type Schema = {
  readonly name: string
  readonly tables: readonly Table[]
  readonly views: readonly View[]
  readonly links: readonly Link[]
  readonly functions: readonly RowsFunction[]
}

/** The rows by the name of their table. */
export type Data = Readonly<Record<string, readonly Row[]>>

export type Caller = {
  readonly name: string
  readonly role: (typeof apiRoles)[number]
  /** Undefined: the caller shows no token. */
  readonly claims?: Readonly<Record<string, string>>
}

export function tableOf(schema: Schema, name: string): Table {
  const table = schema.tables.find((each) => each.name === name)
  if (table === undefined) throw new Error(`${schema.name} has no table ${name}`)
  return table
}
