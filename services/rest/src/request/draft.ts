import type { Slot } from './query.ts'
import type { Cursor } from './cursor.ts'
import type { QueryLimits } from './query-limits.ts'
import { tooMuch } from './cursor.ts'

/**
 * What grows while a query string is read. `shape` is the decoded query string with each value cut out: the readers
 * copy every character they turn into structure and replace every value by `shapeMarks.value`. Reading is
 * deterministic, so equal shapes mean equal trees; the marks start with NUL, which no accepted query string contains,
 * so that no text can look like one.
 */
export type Draft = {
  shape: string
  /** Where in the parameter's text the next piece of shape starts. */
  copied: number
  readonly values: string[]
  readonly limits: QueryLimits
  selectItems: number
  filters: number
}

const shapeMarks = { value: '\0?', keyEnd: '\0=', parameterEnd: '\0&' } as const

export function createDraft(limits: QueryLimits): Draft {
  return { shape: '', copied: 0, values: [], limits, selectItems: 0, filters: 0 }
}

/** Starts a parameter: its key is structure. */
export function beginParameter(draft: Draft, key: string, cursor: Cursor): void {
  draft.shape += key + shapeMarks.keyEnd
  draft.copied = cursor.implied
}

/** Ends a parameter: what was read since the last value is structure. */
export function endParameter(draft: Draft, cursor: Cursor): void {
  draft.shape += cursor.text.slice(draft.copied, cursor.pos) + shapeMarks.parameterEnd
}

/** Takes `value`, which was written between `start` and `end` of the text, out of the shape. */
export function takeValue(draft: Draft, cursor: Cursor, from: { start: number; end: number; value: string }): Slot {
  draft.shape += cursor.text.slice(draft.copied, from.start) + shapeMarks.value
  draft.copied = from.end
  return draft.values.push(from.value) - 1
}

export function countSelectItem(draft: Draft): void {
  if (++draft.selectItems > draft.limits.selectItemsMax) {
    tooMuch('select parameter', 'selectItemsMax', draft.limits.selectItemsMax)
  }
}

export function countFilter(draft: Draft): void {
  if (++draft.filters > draft.limits.filtersMax) tooMuch('filters', 'filtersMax', draft.limits.filtersMax)
}
