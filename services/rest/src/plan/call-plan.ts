import type { Routine, RoutineParameter } from '@pando/catalogue/catalogue'
import type { Slot } from '../request/query.ts'
import type { LimitPlan, ReadPlan } from './read-plan.ts'

/** A function call, with its overload chosen. */
export type CallPlan = {
  readonly routine: Routine
  readonly input: CallInput
  /**
   * What the answer is made of. A call that `staysHere` is kept from the workers of Citus, which do not have the function, or
   * may not ask other servers in it, when the statement goes to them for what is embedded.
   */
  readonly result:
    /** Rows of a relation, a composite type or an unknown record: read like those of a relation. */
    | { readonly kind: 'rows'; readonly read: ReadPlan; readonly isSet: boolean; readonly staysHere: boolean }
    | { readonly kind: 'values'; readonly isSet: boolean; readonly limit?: LimitPlan }
    | { readonly kind: 'void' }
}

export type CallInput =
  | { readonly kind: 'slots'; readonly arguments: readonly SlotArgument[] }
  /** Members of the JSON object in the body. */
  | {
      readonly kind: 'object'
      readonly parameters: readonly RoutineParameter[]
      readonly isArray: boolean
      /** A form: a variadic parameter given once is no array yet. */
      readonly isForm: boolean
    }
  /** The body as it is, for the one parameter without a name. */
  | { readonly kind: 'body'; readonly type: string }

export type SlotArgument = {
  readonly parameter: RoutineParameter
  /** Several only for a variadic parameter. */
  readonly slots: readonly Slot[]
}
