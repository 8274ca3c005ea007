import type { Catalogue, QualifiedName, Relationship } from '@pando/catalogue/catalogue'
import { suggestRelationship } from '@pando/catalogue/suggest'
import type { Refusal } from '@pando/core/refusal'
import { errors } from '../errors.ts'
import type { EmbedTarget } from './resolve-embed.ts'

/** PGRST200, with the nearest resource that could have been embedded. */
export function refuseUnrelated(catalogue: Catalogue, from: QualifiedName, { target, hint }: EmbedTarget): Refusal {
  const near = suggestRelationship(catalogue, from, target)
  const wrong = near?.instead === 'parent' ? from.name : target
  return errors.noRelationship({
    from: from.name,
    to: target,
    schema: from.schema,
    usedHint: hint,
    suggestion: near === undefined ? null : `Perhaps you meant '${near.name}' instead of '${wrong}'.`,
  })
}

/** PGRST201, with each possible relationship described and a hint that names it. */
export function refuseAmbiguous(from: QualifiedName, { target }: EmbedTarget, found: readonly Relationship[]): Refusal {
  const choices = found.map((each) => `'${each.to.name}!${hintFor(each)}'`).join(', ')
  return errors.ambiguousRelationship(from.name, target, { details: found.map(describe), choices })
}

function hintFor({ via }: Relationship): string {
  if (via.kind === 'many-to-many') return via.junction.name
  return via.kind === 'computed' ? via.routine.name : via.constraint
}

function describe(each: Relationship): { cardinality: string; embedding: string; relationship: string } {
  const { via, from, to } = each
  return {
    cardinality: via.kind === 'computed' ? (via.toOne ? 'many-to-one' : 'one-to-many') : via.kind,
    embedding: `${from.name} with ${to.name}`,
    relationship: describePath(each),
  }
}

function describePath({ via, from, to }: Relationship): string {
  const list = (columns: readonly string[]): string => columns.join(', ')
  if (via.kind === 'computed') return `${via.routine.name}(${from.name})`
  if (via.kind === 'many-to-many') {
    const source = `${via.fromConstraint}(${list(via.fromColumns.map(([, column]) => column))})`
    const target = `${via.toConstraint}(${list(via.toColumns.map(([, column]) => column))})`
    return `${via.junction.name} using ${source} and ${target}`
  }
  const source = `${from.name}(${list(via.columns.map(([column]) => column))})`
  return `${via.constraint} using ${source} and ${to.name}(${list(via.columns.map(([, column]) => column))})`
}
