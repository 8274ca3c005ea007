import type { PublishedTable, TableFacts } from './facts.ts'
import type { FilterOperator } from './request.ts'

/** Does `(value::type) operator (operand::type)` hold, under the column's collation? */
export type FilterQuestion = {
  readonly kind: 'filter'
  readonly operator: FilterOperator
  readonly typeOid: number
  readonly collationOid: number
  readonly value: string | null
  readonly operand: string
}

/**
 * Which of these callers see the row that has this key and still has the same values in these columns? Those columns are
 * all that the table's policies look at: whoever sees the row now saw it as it was at the change. A row that is gone, or
 * that changed in them since, is seen by nobody; what happened to it is a later change.
 */
export type RowQuestion = {
  readonly kind: 'row'
  readonly table: number
  readonly key: readonly (readonly [column: string, value: string])[]
  readonly same: readonly (readonly [column: string, value: string | null])[]
  /** The transaction of the change, where it has just come: Postgres shows it to others a moment after it is in the log. */
  readonly xid?: number | undefined
  readonly callers: readonly { readonly role: string; readonly claims: string }[]
}
export type Question = FilterQuestion | RowQuestion

/** One for a filter, one for each caller of a row. `error` is what a policy raised: it concerns this caller only. */
export type Verdict = boolean | null | { readonly error: string }

/** All that the fan-out of changes needs from outside; `createChangeStore` answers it from Postgres. */
export type ChangesPort = {
  /** Undefined for a table or a role that does not exist. */
  findTable(schema: string, table: string, role: string): Promise<TableFacts | undefined>
  /** Rejects with `TooEarly` while others do not see one of these transactions, of which the log tells before they do. */
  mustSee(xids: ReadonlySet<number>): Promise<void>
  /** Published tables, for subscriptions to a whole schema. */
  listPublished(): Promise<readonly PublishedTable[]>
  /** The operand as Postgres prints it. Rejects with `SubscriptionRefused` for one that the type does not read. */
  readOperand(filter: {
    readonly operator: FilterOperator
    readonly typeOid: number
    readonly operand: string
  }): Promise<string>
  /** One round trip for all questions; answers in their order, one list for each. Rejects with `TooEarly`. */
  checkRows(questions: readonly Question[]): Promise<readonly (readonly Verdict[])[]>
  /** A text that is another one whenever roles, privileges, policies or publications may let somebody see more or less. */
  readAccess(): Promise<string>
}

export type ChangesObservation =
  /** A policy raised an error: those callers do not get the change, all others do. */
  | { readonly kind: 'policyFailed'; readonly table: string; readonly error: string }
  /** Postgres is away: it is asked again until it answers, and what depends on that waits. */
  | { readonly kind: 'waiting'; readonly error: unknown }
  /** Postgres did not answer a question: subscribers that depend on it are told to fetch again. */
  | { readonly kind: 'checkFailed'; readonly table: string; readonly error: unknown }
  /** One round trip with so many questions and callers. */
  | { readonly kind: 'checked'; readonly questions: number; readonly callers: number }
