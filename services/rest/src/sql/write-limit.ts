import type { LimitPlan } from '../plan/read-plan.ts'
import type { Parameters } from './parameters.ts'

/**
 * Cuts a page out of ordered rows. The literal limit inside, a power of two, tells the planner the size of the page;
 * the parameters outside cut it exactly (see `PageClass` for what that gains).
 */
export function writeLimited(
  rows: string,
  limit: LimitPlan,
  { params, isPage }: { params: Parameters; isPage: boolean },
): string {
  if (limit.kind === 'embed') return writeEmbedLimit(rows, limit, params)
  if (!isPage) return rows
  const { page } = limit
  switch (page.kind) {
    case 'from':
      return `${rows} offset ${params.add({ from: 'offset' })}`
    case 'max':
      return `${rows} limit ${page.rows}`
    case 'first':
      return `${bounded(rows, page.rows)} limit ${params.add({ from: 'limit' })}`
    case 'slice':
      return `${bounded(rows, page.rows)} limit ${params.add({ from: 'limit' })} offset ${params.add({ from: 'offset' })}`
  }
}

function bounded(rows: string, count: number): string {
  return `select * from (${rows} limit ${count}) as p`
}

type EmbedLimit = Extract<LimitPlan, { kind: 'embed' }>

function writeEmbedLimit(rows: string, { limit, offset, max, expected }: EmbedLimit, params: Parameters): string {
  const skip = offset === undefined ? '' : ` offset ${params.add({ from: 'slot', slot: offset })}`
  if (limit === undefined || expected === undefined) return `${rows}${max === undefined ? '' : ` limit ${max}`}${skip}`
  const asked = params.add({ from: 'slot', slot: limit })
  const count = max === undefined ? asked : `least(${asked}::bigint, ${max})`
  return `${bounded(rows, expected)} limit ${count}${skip}`
}
