import { createHmac } from 'node:crypto'

/**
 * How a short code is stored: HMAC-SHA256 with a key that the database does not have, because all short codes can be
 * tried. `owner` keeps equal codes of two people apart.
 */
export function hashCode(pepper: Buffer, owner: string, code: string): string {
  return createHmac('sha256', pepper).update(`${owner}:${code}`).digest('base64url')
}
