import { Secret, TOTP } from 'otpauth'
import { renderSVG } from 'uqr'

/** As long as the hash (RFC 4226 §4, R6). */
export const secretBytes = 20

const periodSeconds = 30
/** Steps before and after now that are accepted, for clocks that differ and people who type (RFC 6238 §5.2). */
const window = 1

/** What authenticator apps know by default: SHA-1, six digits, 30 seconds. */
const form = { algorithm: 'SHA1', digits: 6, period: periodSeconds } as const

/** With an address of the longest kind beside it, the picture still has room (2,331 bytes at most). */
export const issuerLengthMax = 60

/** A new secret in base32, and the address that an app reads from the picture. */
export function toTotp(
  bytes: Buffer,
  { issuer, account }: { readonly issuer: string; readonly account: string },
): { readonly secret: string; readonly uri: string } {
  const secret = new Secret({ buffer: Uint8Array.from(bytes).buffer })
  return { secret: secret.base32, uri: new TOTP({ ...form, issuer, label: account, secret }).toString() }
}

/** A QR code (ISO/IEC 18004) as SVG; without `#`, because the SDKs put it into a `data:` address as it is. */
export const toPicture = (uri: string): string => renderSVG(uri, { ecc: 'M', pixelSize: 4, border: 4 })

/** The time step that a code is of; undefined when it is of none near `nowMs`. */
export function toTotpStep(secret: string, code: string, nowMs: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  const totp = new TOTP({ ...form, secret: Secret.fromBase32(secret) })
  const delta = totp.validate({ token: code, timestamp: nowMs, window })
  return delta === null ? undefined : TOTP.counter({ period: periodSeconds, timestamp: nowMs }) + delta
}
