import type { EmbedPath, LogicTree, OrderTerm, ParsedQuery, Slot } from '../request/query.ts'

/** What the query string says about one resource and those embedded in it; paths start at that resource. */
export type QueryParts = {
  readonly filters: ParsedQuery['filters']
  readonly orders: ParsedQuery['orders']
  readonly limits: ParsedQuery['limits']
  readonly offsets: ParsedQuery['offsets']
}

/** What is said about the resource itself. */
export type OwnParts = {
  readonly trees: readonly LogicTree[]
  readonly terms: readonly OrderTerm[]
  readonly limit?: Slot
  readonly offset?: Slot
}

type Pathed = { readonly path: EmbedPath }

export function ownParts(parts: QueryParts): OwnParts {
  const own = <T extends Pathed>(entries: readonly T[]): T[] => entries.filter(({ path }) => path.length === 0)
  const limit = own(parts.limits)[0]?.slot
  const offset = own(parts.offsets)[0]?.slot
  return {
    trees: own(parts.filters).map(({ tree }) => tree),
    terms: own(parts.orders).flatMap(({ terms }) => terms),
    limit,
    offset,
  }
}

/** The parts whose path starts with a name that `belongs`, with that name taken off. */
export function partsBelow(parts: QueryParts, belongs: (name: string) => boolean): QueryParts {
  const below = <T extends Pathed>(entries: readonly T[]): T[] =>
    entries.flatMap((entry) => {
      const [first, ...path] = entry.path
      return first !== undefined && belongs(first) ? [{ ...entry, path }] : []
    })
  return {
    filters: below(parts.filters),
    orders: below(parts.orders),
    limits: below(parts.limits),
    offsets: below(parts.offsets),
  }
}

/** The names of embedded resources that the parts speak of. */
export function namesBelow(parts: QueryParts): Set<string> {
  const entries: readonly Pathed[] = [...parts.filters, ...parts.orders, ...parts.limits, ...parts.offsets]
  return new Set(entries.flatMap(({ path }) => path.slice(0, 1)))
}
