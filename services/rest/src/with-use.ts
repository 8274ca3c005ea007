import type { CacheValues } from '@pando/cache/config'
import type { KeptUse, Use } from '@pando/cache/cached-read'
import type { Answer } from './answer.ts'
import type { ReadSources } from './plan/sources.ts'

export type CacheHeaderOptions = Pick<CacheValues, 'cdnMaxAge' | 'clientMaxAge' | 'staleWhileRevalidate'>

type About = {
  readonly options: CacheHeaderOptions
  /** The caller is not signed in. */
  readonly isAnonymous: boolean
  readonly sources: ReadSources
  readonly ifNoneMatch: string | undefined
}

/**
 * An answer with what caches on the way and clients must know of it: `Cache-Status` (RFC 9211) says what our own has done,
 * `Cache-Control` what others may do (RFC 9111, for CDNs RFC 9213). It is 304 when the client has it already (RFC 9110 §13.1.2).
 */
export function withUse(answer: Answer, use: Use, about: About): Answer {
  if (use.kind === 'kept') return withStatus(withTag(answer, use, about), use, about.ifNoneMatch)
  return { ...answer, headers: { ...answer.headers, 'Cache-Status': `pando; fwd=bypass; detail=${use.reason.code}` } }
}

/**
 * The part that is the same for all who get this answer. Names are in lower case, as they are sent: the framework need not make
 * them so each time, which costs a hit 3 %.
 */
export function withTag(answer: Answer, use: KeptUse, about: Omit<About, 'ifNoneMatch'>): Answer {
  const headers = { ...answer.headers, ETag: `"${use.tag}"`, Vary: vary, ...controlHeaders(use, about) }
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return { ...answer, headers: Object.fromEntries(lower) }
}

/** The part that is another one each time. */
export function withStatus(answer: Answer, use: KeptUse, ifNoneMatch: string | undefined): Answer {
  const headers: Answer['headers'] = { ...answer.headers, 'cache-status': toStatus(use) }
  if (use.outcome !== 'miss') headers['age'] = String(toAge(use))
  if (ifNoneMatch === undefined || !matches(ifNoneMatch, use.tag)) return { ...answer, headers }
  const { 'content-type': _type, 'content-range': _range, ...rest } = headers
  return { status: 304, headers: rest }
}

/** What the answer depends on besides its address. */
const vary = 'Accept, Accept-Profile, Authorization, Prefer, Range, apikey'

function toStatus(use: KeptUse): string {
  switch (use.outcome) {
    case 'hit':
      return 'pando; hit'
    case 'stale':
      return `pando; hit; ttl=-${toAge(use)}; detail=stale`
    case 'shared':
      return 'pando; hit; detail=shared'
    case 'collapsed':
      return 'pando; fwd=miss; collapsed'
    case 'miss':
      return `pando; fwd=${use.forward ?? 'miss'}${use.isStored ? '; stored' : ''}`
  }
}

/** Seconds, rounded up. */
const toAge = ({ ageMs }: KeptUse): number => Math.ceil(ageMs / 1000)

/** What was right a while ago is for this once. */
const once: CacheHeaderOptions = { clientMaxAge: 0, cdnMaxAge: 0, staleWhileRevalidate: 0 }

function controlHeaders(use: KeptUse, about: Omit<About, 'ifNoneMatch'>): Answer['headers'] {
  const { isAnonymous, sources } = about
  const options = use.outcome === 'stale' ? once : about.options
  const isPublic = use.isCommon && isAnonymous
  const [client, cdn, stale] = [options.clientMaxAge, options.cdnMaxAge, options.staleWhileRevalidate].map(
    toSeconds,
  ) as [number, number, number]
  const isForCdn = isPublic && cdn > 0
  const whileStale = stale > 0 && (client > 0 || isForCdn) ? [`stale-while-revalidate=${stale}`] : []
  const control = [
    isPublic ? 'public' : 'private',
    client > 0 || isForCdn ? `max-age=${client}` : 'no-cache',
    ...(isForCdn ? [`s-maxage=${cdn}`] : []),
    ...whileStale,
  ]
  const headers = { 'Cache-Control': control.join(', ') }
  if (!isForCdn) return headers
  const tables = sources.relations.map(({ schema, name }) => encodeURIComponent(`${schema}.${name}`))
  return {
    ...headers,
    'CDN-Cache-Control': [`max-age=${cdn}`, ...whileStale].join(', '),
    'Cache-Tag': tables.join(','),
    'Surrogate-Key': tables.join(' '),
  }
}

const toSeconds = (ms: number): number => Math.floor(ms / 1000)

/** Weak comparison: on the way a tag is weakened by compression. */
function matches(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.split(',').some((one) => ['*', `"${tag}"`, `W/"${tag}"`].includes(one.trim()))
}
