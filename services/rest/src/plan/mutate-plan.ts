import type { Column, QualifiedName, Relation } from '@pando/catalogue/catalogue'
import type { Slot } from '../request/query.ts'
import type { FilterPlan, ReadPlan } from './read-plan.ts'

/** A change of rows, with every name resolved. */
export type MutatePlan = {
  readonly change: Insert | Update | Delete
  readonly relation: Relation
  /** The changed relation's alias; what errors of Postgres call it. */
  readonly alias: string
  /** The changed rows, read like those of a relation; undefined when the answer has no body. */
  readonly read?: ReadPlan
  /** Columns of which the address of an inserted row is made. */
  readonly location: readonly string[]
}

export type Insert = {
  readonly kind: 'insert'
  readonly payload: Payload
  readonly conflict?: Conflict
  /** Of PUT: what the payload's key must be. */
  readonly filters: readonly FilterPlan[]
}

export type Update = {
  readonly kind: 'update'
  readonly payload: Payload
  readonly filters: readonly FilterPlan[]
  readonly keptKey?: KeptKey
}

/**
 * The column by which Citus spreads the rows of an update. It takes no update that sets it: a payload may only repeat the
 * key that the request is about.
 */
export type KeptKey = { readonly column: string; readonly slot: Slot }

export type Delete = { readonly kind: 'delete'; readonly filters: readonly FilterPlan[] }

export type Conflict = {
  readonly columns: readonly string[]
  readonly resolution: 'merge' | 'ignore'
  /**
   * How new rows are told from those that were there: an update counts itself in a setting, which Citus does not take; or by
   * a system column, which partitions do not have. Undefined where neither is possible.
   */
  readonly counting?: 'setting' | 'row'
}

/** The body as rows. */
export type Payload = {
  readonly alias: string
  readonly shape: 'object' | 'array'
  /** Empty when nothing is to be set: an insert then takes defaults, an update changes nothing. */
  readonly columns: readonly PayloadColumn[]
  /** A key that an element lacks takes the column's default instead of null. */
  readonly fillsDefaults: boolean
  /** One object is read as a list of it: Citus works out what is no set before it knows the columns. */
  readonly asSet: boolean
}

export type PayloadColumn = {
  readonly column: Column
  /** The function by which JSON enters a domain. */
  readonly fromJson?: QualifiedName
}
