/** Kinds of change that a phone can ask for; `*` is all three. */
export type ChangeEvent = '*' | 'INSERT' | 'UPDATE' | 'DELETE'

export const filterOperators = [
  'eq',
  'neq',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'like',
  'ilike',
  'is',
  'match',
  'imatch',
  'isdistinct',
] as const
export type FilterOperator = (typeof filterOperators)[number]

/** One condition. For `in` the value is Postgres' text of an array, `{a,b}`; for all others what the type reads. */
export type Filter = {
  readonly column: string
  readonly operator: FilterOperator
  readonly value: string
  readonly negate: boolean
}

/** What one entry of `config.postgres_changes` asks for. `*` as schema or table is all that are published. */
export type ChangeRequest = {
  readonly event: ChangeEvent
  readonly schema: string
  readonly table: string
  /** All of them must hold. */
  readonly filters: readonly Filter[]
  /** Columns beside those of the primary key; undefined is all. */
  readonly select: readonly string[] | undefined
}

/** A request that cannot be followed; the message is what the `system` answer says. */
export class SubscriptionRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SubscriptionRefused'
  }
}
