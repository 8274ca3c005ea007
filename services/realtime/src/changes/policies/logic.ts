import { missing, type Value } from './values.ts'

/** Three-valued logic (manual, 9.1); what is missing stays missing unless the other side decides. */
export type Truth = boolean | null | typeof missing

export function and(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  if (truths.includes(missing)) return missing
  return truths.includes(null) ? null : true
}

export function or(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  if (truths.includes(missing)) return missing
  return truths.includes(null) ? null : false
}

export const not = (truth: Truth): Truth => (typeof truth === 'boolean' ? !truth : truth)

/** Conditions are typed before they are evaluated. */
export const toTruth = (value: Value): Truth => value as Truth

/** Comparisons are strict: NULL with anything is NULL. */
export function strictly(left: Value, right: Value, test: (left: Value, right: Value) => boolean): Truth {
  if (left === missing || right === missing) return missing
  return left === null || right === null ? null : test(left, right)
}

type Side = string | number | bigint | boolean

export const comparisons: Readonly<Record<string, (left: Value, right: Value) => boolean>> = {
  '=': (left, right) => left === right,
  '<>': (left, right) => left !== right,
  '<': (left, right) => (left as Side) < (right as Side),
  '<=': (left, right) => (left as Side) <= (right as Side),
  '>': (left, right) => (left as Side) > (right as Side),
  '>=': (left, right) => (left as Side) >= (right as Side),
}
