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
  if (use.kind === 'bypass') {
    return { ...answer, headers: { ...answer.headers, 'Cache-Status': `pando; fwd=bypass; detail=${use.reason.code}` } }
  }
  const headers = { ...answer.headers, ...ownHeaders(use), ...controlHeaders(use, about) }
  if (!matches(about.ifNoneMatch, use.tag)) return { ...answer, headers }
  const { 'Content-Type': _type, 'Content-Range': _range, ...rest } = headers
  return { status: 304, headers: rest }
}

/** What the answer depends on besides its address. */
const vary = 'Accept, Accept-Profile, Authorization, Prefer, Range, apikey'

function ownHeaders(use: KeptUse): Answer['headers'] {
  const headers: Answer['headers'] = { ETag: `"${use.tag}"`, Vary: vary, 'Cache-Status': toStatus(use) }
  if (use.outcome !== 'miss') headers['Age'] = String(Math.ceil(use.ageMs / 1000))
  return headers
}

function toStatus({ outcome, forward, isStored }: KeptUse): string {
  switch (outcome) {
    case 'hit':
      return 'pando; hit'
    case 'shared':
      return 'pando; hit; detail=shared'
    case 'collapsed':
      return 'pando; fwd=miss; collapsed'
    case 'miss':
      return `pando; fwd=${forward ?? 'miss'}${isStored ? '; stored' : ''}`
  }
}

function controlHeaders(use: KeptUse, { options, isAnonymous, sources }: About): Answer['headers'] {
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
function matches(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((one) => ['*', `"${tag}"`, `W/"${tag}"`].includes(one.trim()))
}
