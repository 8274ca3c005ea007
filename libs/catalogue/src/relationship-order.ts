import type { Relationship } from './catalogue.ts'

/**
 * The order in which the relationships of one relation are listed, which a caller sees when an embedding is ambiguous:
 * those of tables before those through views, then by target, kind, constraint and columns; computed ones last.
 */
export function sortRelationships(relationships: readonly Relationship[]): Relationship[] {
  const keyed = relationships.map((relationship) => ({ relationship, key: sortKey(relationship) }))
  return keyed.sort((a, b) => compareTexts(a.key, b.key)).map(({ relationship }) => relationship)
}

const kinds = ['one-to-many', 'many-to-one', 'one-to-one', 'many-to-many', 'computed']

/** NUL sorts before whatever a name may contain, so that the whole text compares like its parts one by one. */
function sortKey({ to, isSelf, throughView, via }: Relationship): string {
  const group = via.kind === 'computed' ? 2 : Number(throughView)
  return [group, to.schema, to.name, Number(isSelf), kinds.indexOf(via.kind), ...detail(via)].join('\0')
}

function detail(via: Relationship['via']): string[] {
  switch (via.kind) {
    case 'computed':
      return [via.routine.schema, via.routine.name]
    case 'many-to-many': {
      const { junction, fromConstraint, toConstraint, fromColumns, toColumns } = via
      return [junction.schema, junction.name, fromConstraint, toConstraint, String(fromColumns), String(toColumns)]
    }
    default:
      return [via.constraint, String(via.columns)]
  }
}

/** By code units: the order of names must not depend on a locale. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
