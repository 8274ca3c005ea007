import type { QualifiedName, Relation } from '@pando/catalogue/catalogue'
import type { Carried } from '../plan/carried-columns.ts'
import { rowColumn } from '../plan/link-embed.ts'
import { quoteName, quoteQualified } from '@pando/postgres/quote'
import { writeRow } from './write-field.ts'

/** Finds the function behind a computed column. */
export type FindComputed = (name: string) => QualifiedName | undefined

/**
 * The select (or returning) list by which rows carry what a read needs; computed columns are worked out here, where the
 * row still has its type. A list is never empty.
 */
export function writeCarried(
  { all, names, row }: Carried,
  base: { alias: string; relation: Relation | undefined },
  findComputed: FindComputed,
): string {
  const { alias, relation } = base
  const items = all ? [`${quoteName(alias)}.*`] : []
  for (const name of names) {
    if (all && (relation === undefined || relation.columns.has(name))) continue
    const computed = relation?.columns.has(name) === true ? undefined : findComputed(name)
    const value =
      computed === undefined
        ? `${quoteName(alias)}.${quoteName(name)}`
        : `${quoteQualified(computed)}(${writeRow({ alias })})`
    items.push(`${value} as ${quoteName(name)}`)
  }
  if (row && relation !== undefined) {
    items.push(`(${quoteName(alias)}.*)::${quoteQualified(relation)} as ${quoteName(rowColumn)}`)
  }
  return items.length === 0 ? '1' : items.join(', ')
}
