import type { ColumnFacts } from './facts.ts'

/**
 * Kinds of values that are compared here exactly as Postgres does, all by the text that Postgres prints:
 * - `integer`: smallint, integer, bigint and oid, of any size;
 * - `numeric`: decimal digits of any number, NaN above all;
 * - `float`: double precision (a literal for `real` would be rounded twice, so that is left to Postgres);
 * - `text`: equal when the bytes are (deterministic collations), in order only under C;
 * - `uuid`, `boolean`, `date`, `timestamp`: years 1 to 9999, infinity at both ends; `enum` and others only know equality.
 */
export type ValueKind =
  | 'integer'
  | 'numeric'
  | 'float'
  | 'bytes'
  | 'text'
  | 'uuid'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'enum'

const kinds: Readonly<Record<number, ValueKind>> = {
  16: 'boolean',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  26: 'integer',
  701: 'float',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamp',
  1700: 'numeric',
  2950: 'uuid',
}

/** `isEnum` comes from the type's facts. Undefined for a type that only Postgres compares. */
export function toValueKind(
  column: Pick<ColumnFacts, 'typeOid' | 'collation'>,
  isEnum: boolean,
): ValueKind | undefined {
  const { typeOid, collation } = column
  if (typeOid === 25 || typeOid === 1043) {
    return collation === 'other' ? undefined : collation === 'bytes' ? 'bytes' : 'text'
  }
  return kinds[typeOid] ?? (isEnum ? 'enum' : undefined)
}

/** Kinds whose printed text is one per value, so that equal values are equal texts. */
const printsOneText: ReadonlySet<ValueKind> = new Set(['integer', 'bytes', 'text', 'uuid', 'boolean', 'enum', 'date'])

export const isEqualByText = (kind: ValueKind): boolean => printsOneText.has(kind)
