import type { Clock } from '@pando/core/clock'
import { fetchBounded } from '@pando/http/fetch-bounded'
import type { IssuerLimits } from '@pando/http/auth/issuer-keys'
import type { ServerMetadata } from 'openid-client'

export type Metadata = ServerMetadata

/**
 * Keeps what the discovery document of an issuer says (OpenID Connect Discovery 1.0 §4), which must be about this very
 * issuer. It is asked again when it is old; while that fails, what it said last is good for `staleMs`.
 */
export function createMetadata(issuer: string, clock: Clock, limits: IssuerLimits): () => Promise<Metadata> {
  let known: { readonly metadata: Metadata; readonly atMs: number } | undefined
  let running: Promise<Metadata> | undefined

  async function refresh(): Promise<Metadata> {
    try {
      const metadata = await discover(issuer, limits)
      known = { metadata, atMs: clock.monotonic() }
      return metadata
    } catch (error) {
      if (known !== undefined && clock.monotonic() - known.atMs <= limits.staleMs) return known.metadata
      throw error
    } finally {
      running = undefined
    }
  }

  return () => {
    if (known !== undefined && clock.monotonic() - known.atMs <= limits.freshMs) return Promise.resolve(known.metadata)
    return (running ??= refresh())
  }
}

async function discover(issuer: string, limits: IssuerLimits): Promise<Metadata> {
  const client = await import('openid-client')
  const configuration = await client.discovery(new URL(issuer), 'unused', undefined, undefined, {
    [client.customFetch]: (url, init) => fetchBounded(url, init as RequestInit, limits),
    timeout: limits.timeoutMs / 1000,
    execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
  })
  return configuration.serverMetadata()
}
