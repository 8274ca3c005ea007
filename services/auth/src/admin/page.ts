import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Visit } from '../visit.ts'

const perPageDefault = 50
const perPageMax = 1000

/** A page of a list, numbered from 1. */
export type Page = { readonly number: number; readonly limit: number; readonly offset: number }

/** `?page=…&per_page=…` @throws validation_failed */
export function toPage({ query }: Visit): Page {
  const number = toCount(query['page'], 'page') ?? 1
  const limit = Math.min(toCount(query['per_page'], 'per_page') ?? perPageDefault, perPageMax)
  return { number, limit, offset: (number - 1) * limit }
}

/** `X-Total-Count` and `Link` (RFC 8288) of a page of the list at `path`. */
export function toPageHeaders({ apiUrl }: AuthDeps, path: string, { page, total }: { page: Page; total: number }) {
  const last = Math.max(1, Math.ceil(total / page.limit))
  const link = (to: number, rel: string): string =>
    `<${apiUrl()}/auth/v1${path}?page=${to}&per_page=${page.limit}>; rel="${rel}"`
  const links = [...(page.number < last ? [link(page.number + 1, 'next')] : []), link(last, 'last')]
  return { 'x-total-count': String(total), link: links.join(', ') }
}

function toCount(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw errors.invalid(`Bad Pagination Parameters: ${name} must be a number from 1`)
  return Number(text)
}
