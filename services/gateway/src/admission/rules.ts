import { type ClassName, rankOf } from '@pando/admission/classes'

/** What a request counts as. `apart` has an admission of its own (password hashing) and is only passed on. */
type Verdict = ClassName | 'apart'

export type Rule = {
  /** How the path begins. */
  readonly path: string
  readonly method?: string | null
  /** What the query must contain. */
  readonly query?: string
  readonly role?: string | null
  readonly class: Verdict
}

/**
 * The table of what is important. What stands in no line is `reads` by GET and HEAD, and `writes` otherwise; large bodies
 * and tables as CSV are `bulk`.
 */
export const builtInRules: readonly Rule[] = [
  // A spike must sign nobody out: whoever cannot refresh asks for a password, which is dearer.
  { path: '/auth/v1/token', query: 'grant_type=password', class: 'apart' },
  { path: '/auth/v1/token', class: 'critical' },
  { path: '/auth/v1/signup', class: 'apart' },
  { path: '/auth/v1/user', method: 'PUT', class: 'apart' },
  { path: '/auth/v1/admin/users', method: 'POST', class: 'apart' },
  { path: '/auth/v1/admin/users', method: 'PUT', class: 'apart' },
  { path: '/auth/v1/.well-known/', class: 'critical' },
  { path: '/auth/v1/health', class: 'critical' },
  { path: '/payments/v1/', class: 'critical' },
  { path: '/analytics/v1/', class: 'analytics' },
]

/** Bodies from this size on are `bulk`, which shares the class of exports. */
export const bulkBytesMin = 256 * 1024

/** What is looked at to tell how important a request is. */
export type Asked = {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly bodyBytes: number
  readonly accept: string | undefined
  /** The caller's role, as far as it is known; only asked for where a rule needs it. */
  readonly role: () => string | undefined
}

/** The rank of a request, or undefined where it is not for admission to decide. */
export type Classify = (asked: Asked) => number | undefined

/** Classifies the requests below one prefix. */
export function createClassify(prefix: string, rules: readonly Rule[]): Classify {
  const here = rules
    .filter(({ path }) => path.startsWith(prefix) || prefix.startsWith(path))
    .map((rule) => ({ ...rule, rank: rule.class === 'apart' ? undefined : rankOf(rule.class) }))
  return (asked) => {
    for (const rule of here) if (fits(rule, asked)) return rule.rank
    if (asked.bodyBytes >= bulkBytesMin || asked.accept === 'text/csv') return bulk
    return asked.method === 'GET' || asked.method === 'HEAD' ? reads : writes
  }
}

const [writes, reads, bulk] = [rankOf('writes'), rankOf('reads'), rankOf('bulk')]

function fits({ path, method, query, role }: Rule, asked: Asked): boolean {
  return (
    asked.url.startsWith(path) &&
    (!method || method === asked.method) &&
    (query === undefined || asked.url.includes(query)) &&
    (!role || role === asked.role())
  )
}
