import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { ParsedQuery } from './query.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'OPTIONS'

/** One request, parsed; nothing here has been looked up in the catalogue. */
export type ApiRequest = {
  readonly method: Method
  readonly target:
    | { readonly kind: 'root' }
    | { readonly kind: 'relation'; readonly name: QualifiedName }
    | { readonly kind: 'routine'; readonly name: QualifiedName }
  /**
   * Set when a profile header named the schema or several schemas are exposed: the answer then carries
   * `Content-Profile`.
   */
  readonly profile?: string
  readonly query: ParsedQuery
  readonly preferences: Preferences
  /** `Range` header of GET and HEAD, both ends inclusive; `last` is undefined for `5-`. */
  readonly range?: { readonly first: number; readonly last?: number }
  /** Best first; empty means anything. */
  readonly accept: readonly MediaType[]
  readonly contentType: MediaType
}

/** A media type with its parameters in lower case, without `q`. Anything at all is `*`, slash, `*`. */
export type MediaType = {
  readonly essence: string
  readonly parameters: Readonly<Record<string, string>>
}

/** `Prefer` (RFC 7240) as PostgREST v14 reads it. */
export type Preferences = {
  readonly resolution?: 'merge-duplicates' | 'ignore-duplicates'
  readonly return?: 'minimal' | 'headers-only' | 'representation'
  readonly count?: 'exact' | 'planned' | 'estimated'
  readonly transaction?: 'commit' | 'rollback'
  readonly missing?: 'default' | 'null'
  readonly handling?: 'strict' | 'lenient'
  readonly timezone?: string
  readonly maxAffected?: number
  /** What was not understood, verbatim; refused with `handling=strict`. */
  readonly invalid: readonly string[]
}

/** What is known of a body without parsing it whole. */
export type BodyShape =
  | { readonly kind: 'none' }
  /** `keys` are those of the object, or of the first object of the array (all others must have the same). */
  | {
      readonly kind: 'json'
      readonly isArray: boolean
      readonly isEmptyArray: boolean
      /**
       * A bare number, text, boolean or null. Everything but a function with a single unnamed parameter takes it for an
       * empty array, so `isArray` and `isEmptyArray` are set.
       */
      readonly isScalar?: boolean
      readonly keys: readonly string[]
    }
  /** A form or a CSV, already turned into the JSON that the statement takes. */
  /** Text, XML or bytes for a function with a single unnamed parameter. */
  | { readonly kind: 'raw' }
