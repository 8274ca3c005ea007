import type { SelectItem } from '../request/query.ts'

/** Whether exactly the relation's row is selected: what a media type handler for its row type can take. */
export function selectsWholeRows(select: readonly SelectItem[]): boolean {
  const [only] = select
  if (select.length === 0) return true
  return select.length === 1 && only?.kind === 'field' && only.field?.name === '*' && only.aggregate === undefined
}
