import { escapeIdentifier } from 'pg'
import type { PolicyFact, TableFact } from './facts.ts'
import { quotedName } from './names.ts'

/**
 * How a policy with a sub-select can be written without: `(select auth.uid())` calls a function once for each statement,
 * which `auth.uid()`, being stable, does nearly as well. Any other sub-select needs a person.
 */
export function suggestPolicy(table: TableFact, { name, using, check }: PolicyFact): string {
  const [plainUsing, plainCheck] = [using, check].map((text) => text?.replaceAll(wrappedCall, '$1'))
  const isLeft = [plainUsing, plainCheck].some((text) => text !== undefined && /\bselect\b/i.test(text))
  if (isLeft) return 'Compare with columns and claims instead, or move the question into a column of the row.'
  const parts = [
    plainUsing === undefined ? '' : ` using (${plainUsing})`,
    plainCheck === undefined ? '' : ` with check (${plainCheck})`,
  ]
  return `alter policy ${escapeIdentifier(name)} on ${quotedName(table)}${parts.join('')};`
}

/** As Postgres prints a call in a sub-select: `( SELECT auth.uid() AS uid)`. */
const wrappedCall = /\( SELECT ((?:[\w"]+\.)?[\w"]+\(\)) AS [\w"]+\)/g
