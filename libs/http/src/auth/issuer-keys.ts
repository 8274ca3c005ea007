import type { Clock } from '@pando/core/clock'
import { type FetchBounds, fetchBounded } from '../fetch-bounded.ts'
import { matchingKeys, ringKeysMax } from './key-ring.ts'
import { importJwk, type Jwk, type VerificationKey } from './verification-key.ts'

/** Somebody else whose tokens are accepted, for example Firebase, Auth0, Clerk or Cognito. */
export type IssuerPolicy = {
  /** Exactly the `iss` claim of its tokens. */
  readonly issuer: string
  /**
   * Where its keys are, if not where its discovery document says (OpenID Connect Discovery 1.0 §4). Comes from the
   * configuration, never from a token.
   */
  readonly jwksUrl?: string
  /**
   * A token must be made for one of these; without the rule, tokens that the issuer made for other apps are good here.
   * `null` where the issuer makes tokens for this project alone.
   */
  readonly audiences: readonly string[] | null
  /** The claims that may say for whom a token was made; the first that is there counts. `['aud']` if not given. */
  readonly audienceClaims?: readonly string[]
  /** The role of its tokens that have no role claim; they are refused if not given. */
  readonly role?: string
}

/** The bounds are those of fetching one document. */
export type IssuerLimits = FetchBounds & {
  /** Age after which keys are fetched again in the background. */
  readonly freshMs: number
  /** Age after which keys that could not be fetched again are no longer believed. */
  readonly staleMs: number
  /** Least time between two fetches: a flood of unknown key ids does not become a flood of fetches. */
  readonly betweenMs: number
}

export type IssuerKeys = {
  /** Grows whenever a key went away, or all did because they are stale. */
  generation(): number
  /**
   * The keys for a token, at once when they are here, else after a fetch. Rejects when there are none and none can be
   * fetched.
   */
  candidates(
    algorithm: string,
    kid: string | undefined,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>
}

/** Keeps the keys of one issuer, fetched from its JWKS URL or the one that its discovery document names. */
export function createIssuerKeys(
  policy: Pick<IssuerPolicy, 'issuer' | 'jwksUrl'>,
  clock: Clock,
  limits: IssuerLimits,
): IssuerKeys {
  let keys: readonly VerificationKey[] = []
  let generation = 0
  let fetchedMs = Number.NEGATIVE_INFINITY
  let attemptedMs = Number.NEGATIVE_INFINITY
  let failure: unknown
  let running: Promise<void> | undefined

  function accept(next: readonly VerificationKey[]): void {
    const kept = new Set(next.map((key) => key.fingerprint))
    if (keys.some((key) => !kept.has(key.fingerprint))) generation += 1
    keys = next
  }

  async function fetchOnce(): Promise<void> {
    attemptedMs = clock.monotonic()
    try {
      accept(await fetchKeys(policy.jwksUrl ?? (await discoverJwksUrl(policy.issuer, limits)), limits))
      fetchedMs = clock.monotonic()
      failure = undefined
    } catch (error) {
      failure = error
    } finally {
      running = undefined
    }
  }

  function refresh(): Promise<void> | undefined {
    if (running === undefined && clock.monotonic() - attemptedMs >= limits.betweenMs) running = fetchOnce()
    return running
  }

  function dropStale(): void {
    if (keys.length > 0 && clock.monotonic() - fetchedMs > limits.staleMs) accept([])
  }

  async function candidatesAfter(fetching: Promise<void> | undefined, algorithm: string, kid: string | undefined) {
    await fetching
    if (keys.length === 0 && failure !== undefined) throw failure
    return matchingKeys(keys, algorithm, kid)
  }

  return {
    generation() {
      dropStale()
      return generation
    },
    candidates(algorithm, kid) {
      dropStale()
      const found = matchingKeys(keys, algorithm, kid)
      if (found.length === 0) return candidatesAfter(refresh(), algorithm, kid)
      if (clock.monotonic() - fetchedMs > limits.freshMs) void refresh()
      return found
    },
  }
}

/**
 * What the discovery document says, which must be about this very issuer (§4.3). It may name another host, but not a
 * plain address where the issuer's own is encrypted.
 */
async function discoverJwksUrl(issuer: string, limits: IssuerLimits): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = await fetchObject(url, limits)
  const jwksUrl = URL.parse(String(document.jwks_uri))
  if (document.issuer !== issuer) throw new Error(`${url} is about ${JSON.stringify(document.issuer)}, not ${issuer}`)
  if (jwksUrl?.protocol !== 'https:' && jwksUrl?.protocol !== new URL(issuer).protocol)
    throw new Error(`${url} names no usable jwks_uri, but ${JSON.stringify(document.jwks_uri)}`)
  return jwksUrl.href
}

/** Symmetric keys and keys we do not know how to use are passed over: an issuer may publish others beside them. */
async function fetchKeys(url: string, limits: IssuerLimits): Promise<VerificationKey[]> {
  const { keys } = await fetchObject(url, limits)
  if (!Array.isArray(keys)) throw new Error(`${url} is not a JWKS: it has no keys`)
  return (keys as Jwk[]).slice(0, ringKeysMax).flatMap((jwk) => {
    try {
      const key = importJwk(jwk)
      return key.algorithm === 'HS256' ? [] : [key]
    } catch {
      return []
    }
  })
}

async function fetchObject(url: string, limits: IssuerLimits): Promise<Record<string, unknown>> {
  const response = await fetchBounded(url, { headers: { accept: 'application/json' } }, limits)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const value: unknown = JSON.parse(await response.text())
  if (typeof value !== 'object' || value === null) throw new Error(`${url} is not a JSON object`)
  return value as Record<string, unknown>
}
