import type { Statement } from '@pando/postgres/exchange'
import type { Readable } from './analysis.ts'
import type { Page } from './page.ts'
import { parseSnapshot, type Snapshot } from './snapshot.ts'
import { selectSnapshot, selectStamp } from './statements.ts'

/**
 * What is asked together with a read, in one trip: `before` its statement what can be seen, which the read sees too, and `after`
 * it whether policies are still those that were known, because it may have run under newer ones.
 */
export type Witness = {
  readonly before: Statement
  readonly after: Statement
  /** Told the one cell of each. */
  testify(before: string, after: string): void
}

/** Reads now; with a witness on the primary. */
export type ReadNow = (witness?: Witness) => Promise<Page>

type Seen = { readonly snapshot: Snapshot | undefined; readonly stamp: string }

export function toWitness({ oids }: Readable, role: string): { witness: Witness; seen: () => Seen } {
  let seen: Seen = { snapshot: undefined, stamp: '' }
  return {
    witness: {
      before: { text: selectSnapshot, params: [] },
      after: { text: selectStamp, params: [oids, role] },
      testify: (before, after) => {
        seen = { snapshot: parseSnapshot(before), stamp: after }
      },
    },
    seen: () => seen,
  }
}
