/**
 * `Content-Range` as PostgREST writes it: `first-last/total`, `*` for an unknown total or an empty page.
 */
export function contentRange(first: number, last: number, total: number | undefined): string {
  const range = total !== 0 && first <= last ? `${first}-${last}` : '*'
  return `${range}/${total ?? '*'}`
}

/** 206 when the total is known and the page is a part of it, 416 when the page starts behind the end. */
export function pageStatus(first: number, rows: number, total: number | undefined): 200 | 206 | 416 {
  if (total === undefined) return 200
  if (first > total) return 416
  return rows < total ? 206 : 200
}
