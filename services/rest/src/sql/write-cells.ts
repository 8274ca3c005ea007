/** The cells of the one row that every statement gives, see `resultColumns`; absent ones are null. */
export type Cells = {
  readonly total?: string
  readonly pageRows: string
  readonly location?: string
  readonly body?: string
  readonly inserted?: string
}

const responseHeaders = "current_setting('response.headers', true)"
const responseStatus = "current_setting('response.status', true)"

/**
 * The select list of a statement. Postgres works it out from left to right, so what the body's functions put into
 * `response.headers` and `response.status` is seen.
 */
export function writeCells(cells: Cells): string {
  const { total = 'null', pageRows, location = 'null', body = 'null', inserted = 'null' } = cells
  return [total, pageRows, location, body, responseHeaders, responseStatus, inserted].join(', ')
}
