import type { Claims } from '@pando/core/caller'
import { authErrors } from './errors.ts'
import { parseUniqueJson } from './unique-json.ts'

/** A JWT in its compact form, taken apart and not yet verified (RFC 7515 §3.1). */
export type ParsedToken = {
  readonly algorithm: string
  readonly kid?: string
  readonly claims: Claims
  /** The payload exactly as it was signed. */
  readonly claimsJson: string
  /** What the signature is over: both parts and the dot between them. */
  readonly signingInput: string
  readonly signature: Buffer
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Takes a token apart. Strict on purpose: only the base64url alphabet without padding or white space, one spelling for
 * each signature, UTF-8, JSON objects without duplicate members, and no `crit` (RFC 7515 §4.1.11: what is not
 * understood must be refused). Throws `token.malformed`.
 */
export function parseToken(token: string, tokenBytesMax: number): ParsedToken {
  if (token.length > tokenBytesMax) throw authErrors.tooLong(tokenBytesMax)
  const parts = token.split('.')
  if (parts.length !== 3) throw authErrors.notThreeParts(parts.length)
  const [header, payload, signature] = parts as [string, string, string]
  const { alg, kid, crit, typ } = parseObject('header', header).value
  if (typeof alg !== 'string') throw authErrors.malformed('its header has no alg')
  if (kid !== undefined && typeof kid !== 'string') throw authErrors.malformed('its kid is not a string')
  if (typ !== undefined && typeof typ !== 'string') throw authErrors.malformed('its typ is not a string')
  if (crit !== undefined) throw authErrors.malformed('its header has crit')
  const { value: claims, text: claimsJson } = parseObject('payload', payload)
  const signingInput = token.slice(0, header.length + 1 + payload.length)
  return { algorithm: alg, kid, claims, claimsJson, signingInput, signature: decode('signature', signature) }
}

/** The last letter of base64url has spare bits; only the spelling with zeros there is accepted. */
function decode(part: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw authErrors.malformed(`its ${part} is not base64url`)
  return bytes
}

function parseObject(part: string, text: string): { value: Record<string, unknown>; text: string } {
  const bytes = decode(part, text)
  try {
    const json = utf8.decode(bytes)
    const value = parseUniqueJson(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { value: Object.assign(Object.create(null), value) as Record<string, unknown>, text: json }
  } catch {
    throw authErrors.malformed(`its ${part} is not a JSON object with unique members in UTF-8`)
  }
  throw authErrors.malformed(`its ${part} is not a JSON object`)
}
