/**
 * How much an attestation is worth: the environment of App Attest, or what a device meets at Play Integrity, weakest
 * first.
 */
export type Level = 'development' | 'production' | PlayLevel
export type PlayLevel = (typeof playLevels)[number]
export const playLevels = ['basic', 'device', 'strong'] as const

/** What a platform vouches for: this app, unchanged, on a real device. */
export type Attested = {
  readonly provider: 'app_attest' | 'play_integrity'
  /** Team id and bundle id, or the name of a package. */
  readonly appId: string
  readonly level: Level
}

/** The claim `attestation` of access tokens, and how a session's row keeps it. Times are seconds since the epoch. */
export type AttestationClaim = {
  readonly provider: Attested['provider']
  readonly app_id: string
  readonly level: Level
  readonly attested_at: number
  readonly expires_at: number
}

/**
 * The claim for a token that ends at `tokenEnd` (seconds), or none where the attestation would end before the token.
 */
export function toClaim(
  attestation: AttestationClaim | null | undefined,
  tokenEnd: number,
): { readonly attestation?: AttestationClaim } {
  return attestation && attestation.expires_at >= tokenEnd ? { attestation } : {}
}
