import { hash, timingSafeEqual } from 'node:crypto'

/**
 * A refresh token names its session and its place in the session's chain: base64url of session id (16 bytes), counter
 * (4 bytes, big-endian) and secret (16 bytes). Each secret makes the next one with a key that only the session's row has;
 * the row has no secret, only the hash of the latest. So whoever copies the table cannot refresh, whoever steals a token
 * cannot make later ones, and an answer that was lost on its way can be given again.
 */
export type RefreshToken = { readonly sessionId: string; readonly counter: number; readonly secret: Buffer }

/** What of a session's row the chain needs. */
export type Chain = { readonly key: Buffer; readonly counter: number; readonly hash: Buffer }

const secretBytes = 16
const tokenBytes = 16 + 4 + secretBytes

export function encodeRefreshToken({ sessionId, counter, secret }: RefreshToken): string {
  const bytes = Buffer.alloc(tokenBytes)
  bytes.write(sessionId.replaceAll('-', ''), 'hex')
  bytes.writeUInt32BE(counter, 16)
  secret.copy(bytes, 20)
  return bytes.toString('base64url')
}

/** Undefined for a text that is none of ours. */
export function decodeRefreshToken(text: string): RefreshToken | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== tokenBytes || bytes.toString('base64url') !== text) return undefined
  const hex = bytes.toString('hex', 0, 16)
  const sessionId = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return { sessionId, counter: bytes.readUInt32BE(16), secret: bytes.subarray(20) }
}

export const hashSecret = (secret: Buffer): Buffer => hash('sha256', secret, 'buffer')

/**
 * SHA-256 over key and secret, cut to half: a keyed hash, since both have one length and what is cut off cannot be
 * continued. PostgreSQL computes the same when it moves a session on.
 */
export const nextSecret = (key: Buffer, secret: Buffer): Buffer =>
  hash('sha256', Buffer.concat([key, secret]), 'buffer').subarray(0, secretBytes)

/** How far back a token is recognised: it is followed step by step. A session that is refreshed each hour gets there in a year. */
const stepsMax = 10_000

/** Follows the chain from a token to the latest secret; undefined when it does not lead there. */
export function latestSecret(token: RefreshToken, { key, counter, hash }: Chain): Buffer | undefined {
  if (token.counter > counter || counter - token.counter > stepsMax) return undefined
  let { secret } = token
  for (let at = token.counter; at < counter; at++) secret = nextSecret(key, secret)
  return timingSafeEqual(hashSecret(secret), hash) ? secret : undefined
}
