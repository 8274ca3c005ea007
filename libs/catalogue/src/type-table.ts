import type { QualifiedName } from './catalogue.ts'
import type { ObjectId } from './view-columns.ts'

/** A type as it is stored, see `listTypes`. */
export type StoredType = {
  readonly name: QualifiedName
  /** As `regtype` prints it with an empty search path: `integer`, `public.mood[]`. */
  readonly text: string
  /** `pg_type.typtype`: b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  readonly kind: string
  readonly element?: ObjectId
  readonly base?: ObjectId
  /** The length modifier of a domain; -1 for none. */
  readonly modifier: number
  readonly labels?: readonly string[]
  readonly relation?: QualifiedName
}

/** A type with its domains followed to what they stand on. */
export type ResolvedType = {
  /** As declared. */
  readonly text: string
  readonly isDomain: boolean
  /** With domains resolved; without a length, and unbounded where the bare word would mean a length of one. */
  readonly baseText: string
  /** The resolved type's own name, of the element for an array. */
  readonly typeName: QualifiedName
  readonly isArray: boolean
  /** `pg_type.typtype` of the resolved type (an array is `b`). */
  readonly kind: string
  readonly modifier: number
  readonly labels?: readonly string[]
  readonly relation?: QualifiedName
}

export type ResolveType = (oid: ObjectId) => ResolvedType

/** The unbounded spelling of types whose bare name means a length of one. */
const unboundedText: Readonly<Record<string, string>> = {
  character: 'bpchar',
  'character[]': 'bpchar[]',
  bit: '"bit"',
  'bit[]': '"bit"[]',
}

const unknownType: ResolvedType = {
  text: 'unknown',
  isDomain: false,
  baseText: 'unknown',
  typeName: { schema: 'pg_catalog', name: 'unknown' },
  isArray: false,
  kind: 'p',
  modifier: -1,
}

/**
 * Looks types up by object id. One that is not listed (made between two statements of a load) is `unknown`; the
 * notification of its making causes another load.
 */
export function createTypeTable(types: ReadonlyMap<ObjectId, StoredType>): ResolveType {
  const resolved = new Map<ObjectId, ResolvedType>()
  const resolve: ResolveType = (oid) => {
    const known = resolved.get(oid)
    if (known !== undefined) return known
    const type = types.get(oid)
    const fresh = type === undefined ? unknownType : resolveStored(type, resolve)
    resolved.set(oid, fresh)
    return fresh
  }
  return resolve
}

function resolveStored(type: StoredType, resolve: ResolveType): ResolvedType {
  if (type.base !== undefined) {
    const base = resolve(type.base)
    return { ...base, text: type.text, isDomain: true, modifier: type.modifier >= 0 ? type.modifier : base.modifier }
  }
  if (type.element !== undefined) {
    const element = resolve(type.element)
    const baseText = element.isDomain ? `${element.baseText}[]` : unbounded(type.text)
    return { ...element, text: type.text, baseText, isDomain: false, isArray: true, kind: 'b', modifier: -1 }
  }
  return {
    text: type.text,
    isDomain: false,
    baseText: unbounded(type.text),
    typeName: type.name,
    isArray: false,
    kind: type.kind,
    modifier: -1,
    labels: type.labels,
    relation: type.relation,
  }
}

/** The spelling that a cast can use without cutting values off. */
export function unbounded(text: string): string {
  return unboundedText[text] ?? text
}

/** The greatest number of characters (or bits) that a value of the type may have. */
export function maxLengthOf(type: ResolvedType, columnModifier: number): number | undefined {
  const modifier = columnModifier >= 0 ? columnModifier : type.modifier
  if (modifier < 0 || type.isArray || type.typeName.schema !== 'pg_catalog') return undefined
  if (type.typeName.name === 'varchar' || type.typeName.name === 'bpchar') return modifier - headerBytes
  return type.typeName.name === 'bit' || type.typeName.name === 'varbit' ? modifier : undefined
}

/** The modifier of character types counts the length word of the value's header. */
const headerBytes = 4
