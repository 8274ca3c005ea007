import type { Address, RowCount } from '@pando/contract/overview'
import type { Catalogue } from '@pando/catalogue/catalogue'

/** Everything the admin service needs from outside. */
export type AdminDeps = {
  /** Name of the project, as its folder or configuration has it. */
  readonly project: string
  /** Where the API is reached; known once the listener is open. */
  readonly url: () => string
  readonly anonKey: string
  readonly addresses: () => readonly Address[]
  readonly catalogue: () => Catalogue | undefined
  /** Rows of the tables of these schemas: counted where that is quick, Postgres' estimate where it is not. */
  readonly countRows: (schemas: readonly string[]) => Promise<readonly RowCount[]>
  readonly schemas: readonly string[]
}
