import type { Row } from './policy-model.ts'

/** Where rows come from: a table or view by its name, or a function that gives the rows of a table. */
export type Source = { readonly kind: 'table' | 'view' | 'function'; readonly name: string }

/** A read as data, for which the oracle has an answer and `write-request.ts` an address. */
export type Read = {
  readonly source: Source
  /** Empty only in an embed, which then only filters. */
  readonly select: readonly Item[]
  readonly filters: readonly Filter[]
  readonly order: readonly Order[]
  readonly limit?: number
  readonly offset?: number
}

export type Item =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'column'
      readonly column: string
      readonly name: string
      readonly key?: string
      readonly cast?: 'text'
    }
  | { readonly kind: 'count'; readonly name: string }
  | {
      readonly kind: 'aggregate'
      readonly name: string
      readonly column: string
      readonly by: 'sum' | 'min' | 'max' | 'count'
    }
  | { readonly kind: 'embed' | 'spread'; readonly embed: Embed }

/** How an embedded resource hangs on its parent. */
export type Hook =
  | { readonly kind: 'one'; readonly outer: string; readonly inner: string }
  | { readonly kind: 'many'; readonly outer: string; readonly inner: string }
  | { readonly kind: 'through'; readonly junction: string; readonly near: string; readonly far: string }
  /** A computed relationship: needs the whole row of the parent. */
  | { readonly kind: 'computed'; readonly outer: string; readonly inner: string }

export type Embed = {
  /** As the address names it, with its hint. */
  readonly target: string
  /** Its key in the answer, and in paths. */
  readonly name: string
  readonly hook: Hook
  readonly inner: boolean
  readonly read: Read
}

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly negated: boolean; readonly parts: readonly Filter[] }
  | {
      readonly kind: 'test'
      readonly column: string
      readonly key?: string
      readonly negated: boolean
      readonly test: Test
    }
  /** Whether an embedded resource has rows. */
  | { readonly kind: 'embed'; readonly name: string; readonly isNull: boolean }

export type Test =
  | { readonly operator: 'eq' | 'neq' | 'lt' | 'gte' | 'isdistinct'; readonly value: string | number | boolean }
  | { readonly operator: 'in'; readonly values: readonly (string | number)[] }
  | { readonly operator: 'is'; readonly value: 'null' | 'true' }
  | { readonly operator: 'like'; readonly prefix: string }

export type Order = {
  readonly column: string
  /** Of a to-one embed instead of the rows themselves. */
  readonly embed?: string
  readonly descending: boolean
  readonly nulls?: 'first' | 'last'
}

export type Change =
  | { readonly kind: 'insert'; readonly rows: readonly Row[]; readonly conflict?: 'merge' | 'ignore' }
  | { readonly kind: 'update'; readonly set: Row; readonly filters: readonly Filter[] }
  | { readonly kind: 'delete'; readonly filters: readonly Filter[] }

/** A whole request. With a change the read says what is shown of the changed rows; undefined shows nothing. */
export type Ask =
  | { readonly kind: 'read'; readonly read: Read; readonly counted: boolean; readonly ordered: boolean }
  | {
      readonly kind: 'change'
      readonly table: string
      readonly change: Change
      readonly shown?: Read
      readonly keeps: boolean
    }

/** What a request must be answered with. */
export type Expected =
  /**
   * With `orDenied` something embedded is not granted. Postgres asks for that only when the embedding statement may
   * give rows: where a policy is constantly false, the answer is as if the embedded table were empty.
   */
  | { readonly kind: 'rows'; readonly rows: readonly unknown[]; readonly total: number; readonly orDenied: boolean }
  | { readonly kind: 'done'; readonly affected: number }
  /** SQLSTATE 42501, by a privilege or by a policy's check. */
  | { readonly kind: 'denied' }
  /** SQLSTATE 23503: something still refers to what was to be deleted. */
  | { readonly kind: 'referenced'; readonly orDenied: boolean }
