import type { Refusal } from '@pando/core/refusal'
import type { Queries } from '@pando/postgres/database'
import type { UserKey } from '../store/users.ts'
import type { AccountRow, AttemptRow } from './store.ts'

/**
 * So many in so much time. Its tokens come back one by one: who took all may take one more after a share of the time.
 */
export type Rate = {
  readonly name: string
  readonly count: number
  readonly periodMs: number
  /** What is said when there are none left. */
  readonly refuse: (retryAfterS: number) => Refusal
}

/** The tokens of one rate for one caller, address or account. `cost` 0 only asks whether there are any. */
export type Bucket = { readonly rate: Rate; readonly subject: string; readonly cost?: 0 | 1 }

/**
 * Somebody proves to be an account: which secret they try, the account's id (or address where there is none), and from
 * where.
 */
export type Attempt = { readonly secret: 'password' | 'factor'; readonly account: string; readonly address: string }

/**
 * Limits that all nodes share. When the database cannot say whether there are tokens, nobody passes: the methods reject
 * with `PostgresUnavailable`, which is answered 503 with `Retry-After`.
 */
export type Limits = {
  /** Takes one token from each bucket, or from none and rejects with the refusal of the rate that takes longest. */
  take(buckets: readonly Bucket[]): Promise<void>
  /**
   * Counts an attempt as failed before it is made, so that many at once count too. Rejects when it may not be made now.
   */
  begin(attempt: Attempt): Promise<void>
  /** The same for a password at an address, in one statement with the look for its account; undefined when it has none. */
  beginSignIn(key: UserKey, address: string): Promise<AccountRow | undefined>
  /** It was right; in the transaction that signs in, after what it does to the user: locks are taken in this order. */
  end(tx: Queries, attempt: Attempt): Promise<void>
  /** Where an attempt is counted, for a statement that ends it among other things. */
  rowOf(attempt: Attempt): AttemptRow
  /** The account has another secret, or none: what was tried before no longer counts. */
  forget(tx: Queries, attempt: Omit<Attempt, 'address'>): Promise<void>
  close(): Promise<void>
}
