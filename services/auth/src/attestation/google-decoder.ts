import type { Clock } from '@pando/core/clock'
import { fetchBounded } from '@pando/http/fetch-bounded'
import { errors } from '../errors.ts'
import { parseObject } from '../parse-object.ts'
import { createAccessTokens, type ServiceAccount } from './google-account.ts'
import type { Verdict } from './verdict.ts'

type GoogleDeps = {
  readonly account: ServiceAccount
  /** Of Google's API. */
  readonly url: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Told why Google could not be asked; callers are told less. */
  readonly warn: (error: unknown) => void
}

/**
 * Reads the token of an app. Rejects with attestation_failed when nobody can, attestation_unavailable when nobody can
 * now.
 */
export type Decode = (token: string, packageName: string) => Promise<Verdict>

const bytesMax = 256 * 1024

/** Has Google decode tokens (`v1.decodeIntegrityToken`), which works for every kind of request. */
export function createGoogleDecoder({ account, url, timeoutMs, clock, warn }: GoogleDeps): Decode {
  const bounds = { timeoutMs, bytesMax }
  const accessTokens = createAccessTokens(account, bounds, clock)
  const base = url.replace(/\/$/, '')

  /** Undefined when the token is at fault. */
  async function ask(token: string, packageName: string): Promise<Verdict | undefined> {
    const authorization = `Bearer ${await accessTokens.get()}`
    const response = await fetchBounded(
      `${base}/v1/${encodeURIComponent(packageName)}:decodeIntegrityToken`,
      {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ integrity_token: token }),
      },
      bounds,
    )
    if (response.status === 400) return undefined
    if (response.status === 401) accessTokens.forget()
    const text = await response.text()
    if (!response.ok) throw new Error(`Play Integrity answered ${response.status}: ${text.slice(0, 500)}`)
    const { tokenPayloadExternal: verdict } = parseObject(text)
    if (typeof verdict !== 'object' || verdict === null) throw new Error('Play Integrity answered without a verdict')
    return verdict
  }

  return async (token, packageName) => {
    const verdict = await ask(token, packageName).catch((error: unknown) => {
      warn(error)
      throw errors.attestationUnavailable(error)
    })
    if (verdict === undefined) throw errors.attestationFailed('Google cannot read the token')
    return verdict
  }
}
