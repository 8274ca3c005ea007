/** A value that the log did not send. */
export const missing: unique symbol = Symbol('missing')
export type Missing = typeof missing

/** JSON inside of a claim; `undefined` is SQL's NULL, `null` is JSON's. */
export type Json = unknown

export type Scalar = string | number | bigint | boolean
/** What an expression gives: null is NULL. Integers are numbers where those are exact, else bigints. */
export type Value = Scalar | null | Missing | { readonly json: Json } | readonly (Scalar | null)[]

/** Thrown where only Postgres knows what happens: a cast that fails, a number in a claim that prints differently. */
export class Undecided extends Error {}
const undecided = new Undecided('only Postgres can tell')
export const giveUp = (): never => {
  throw undecided
}

/** `json -> name`: undefined is NULL. */
export function getMember(json: Json, name: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || !Object.hasOwn(json, name)) return undefined
  return (json as Readonly<Record<string, Json>>)[name]
}

/** `json #>> '{}'`, what `->>` gives. */
export function toJsonText(json: Json): string | null {
  if (json === undefined || json === null) return null
  if (typeof json === 'string') return json
  if (typeof json === 'boolean' || Number.isSafeInteger(json)) return String(json)
  return giveUp()
}

/** `json ? name` of jsonb. */
export function hasMember(json: Json, name: string): boolean {
  if (Array.isArray(json)) return json.includes(name)
  return typeof json === 'object' && json !== null ? Object.hasOwn(json, name) : json === name
}

export type IntegerType = 'int2' | 'int4' | 'int8'
const bits: Readonly<Record<IntegerType, bigint>> = { int2: 15n, int4: 31n, int8: 63n }

/** An integer in Postgres' notation, in the range of the type. Notations of newer versions are left to Postgres. */
export function toInteger(text: string, type: IntegerType): number | bigint {
  if (!/^[+-]?\d{1,20}$/.test(text)) return giveUp()
  return toRange(BigInt(text), type)
}

export function toRange(value: number | bigint, type: IntegerType): number | bigint {
  const exact = BigInt(value)
  const limit = 1n << bits[type]
  if (exact >= limit || exact < -limit) return giveUp()
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

/** Integers of columns, which Postgres printed. */
export function readInteger(text: string): number | bigint {
  return text.length <= 15 ? Number(text) : toRange(BigInt(text), 'int8')
}

export function toUuid(text: string): string {
  return /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : giveUp()
}

export function toBoolean(text: string): boolean {
  if (text === 'true' || text === 't') return true
  return text === 'false' || text === 'f' ? false : giveUp()
}
