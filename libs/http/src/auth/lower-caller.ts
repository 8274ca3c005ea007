import type { Caller, Claims } from '@pando/core/caller'

/** Entries of claim `amr` that prove a second factor. */
export const secondFactorMethods: readonly string[] = ['totp', 'mfa/phone', 'mfa/webauthn', 'recovery_code']

type Entry = { readonly method?: unknown; readonly timestamp?: unknown } | null

/** Whether a token shows more than a session proves that was lowered at `loweredAt`, seconds since the epoch. */
export function isLowered({ claims }: Caller, loweredAt: number): boolean {
  return typeof claims['aal'] === 'string' && claims['aal'] !== 'aal1' && provedAt(claims) <= loweredAt
}

/** The caller as who has proved no second factor. */
export function lowerCaller({ role, claims }: Caller): Caller {
  const amr = entriesOf(claims).filter((entry) => !secondFactorMethods.includes(String(entry?.method)))
  const lowered = Object.freeze({ ...claims, aal: 'aal1', amr })
  return Object.freeze({ role, claims: lowered, claimsJson: JSON.stringify(lowered) })
}

/** When the last proof was given, on the clock of Postgres, as the lowering is. */
function provedAt(claims: Claims): number {
  return Math.max(0, ...entriesOf(claims).map((entry) => Number(entry?.timestamp) || 0))
}

const entriesOf = ({ amr }: Claims): readonly Entry[] => (Array.isArray(amr) ? (amr as Entry[]) : [])
