import type { QualifiedName, Relationship } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import { refuseAmbiguous, refuseUnrelated } from './refuse-embed.ts'
import { isView as isViewOf } from './scope.ts'
import type { Scope } from './scope.ts'

/**
 * What a request asks to embed: `target` may be a relation, a foreign key, its column, or a function; `hint` narrows
 * it.
 */
export type EmbedTarget = { readonly target: string; readonly hint?: string }

/**
 * The one relationship by which a resource is embedded in the rows of `from` ("Resource embedding" and its
 * disambiguation). A computed relationship wins over those found from keys.
 *
 * @throws PGRST200 when there is none, PGRST201 when there are several
 */
export function resolveEmbed(scope: Scope, from: QualifiedName, wanted: EmbedTarget): Relationship {
  const known = (scope.catalogue.relationships.get(nameKey(from)) ?? []).filter(({ to }) => to.schema === scope.schema)
  const computed = known.filter((each) => each.via.kind === 'computed' && each.via.routine.name === wanted.target)
  const isView = (name: QualifiedName): boolean => isViewOf(scope, name)
  const found = computed.length > 0 ? computed : known.filter((each) => isWanted(each, wanted, isView))
  const [first] = found
  if (first === undefined) throw refuseUnrelated(scope.catalogue, from, wanted)
  if (found.length > 1) throw refuseAmbiguous(from, wanted, found)
  return first
}

function isWanted(
  each: Relationship,
  { target, hint }: EmbedTarget,
  isView: (name: QualifiedName) => boolean,
): boolean {
  if (each.via.kind === 'computed') return false
  const namesRelation = target === each.to.name
  if (each.isSelf) return isWantedSelf(each, target, hint)
  // Alone, a constraint or a column names a relationship only when it leads to a table.
  const names = namesRelation || (!isView(each.to) && (hasConstraint(each, target) || isKeyColumn(each, target)))
  if (hint === undefined) return names
  const hinted = hasConstraint(each, hint) || isKeyColumn(each, hint) || isReferredColumn(each, hint)
  return (
    (namesRelation || hasConstraint(each, target) || isKeyColumn(each, target)) && (hinted || hasJunction(each, hint))
  )
}

/**
 * One foreign key of a relation to itself is two relationships: its table's name means the many side, its column the
 * one side; with the column as a hint the table's name still means the many side.
 */
function isWantedSelf(each: Relationship, target: string, hint: string | undefined): boolean {
  const many = target === each.to.name && each.via.kind === 'one-to-many'
  if (hint !== undefined) return many && isReferredColumn(each, hint)
  return many || (each.via.kind === 'many-to-one' && isKeyColumn(each, target))
}

function hasConstraint({ via }: Relationship, name: string): boolean {
  return 'constraint' in via && via.constraint === name
}

function hasJunction({ via }: Relationship, name: string): boolean {
  return via.kind === 'many-to-many' && via.junction.name === name
}

function isKeyColumn({ via }: Relationship, name: string): boolean {
  return 'columns' in via && via.columns.length === 1 && via.columns[0]?.[0] === name
}

function isReferredColumn({ via }: Relationship, name: string): boolean {
  return 'columns' in via && via.columns.length === 1 && via.columns[0]?.[1] === name
}
