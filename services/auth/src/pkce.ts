import { createHash, timingSafeEqual } from 'node:crypto'
import { errors } from './errors.ts'

/** What an app that will come back with a verifier says first (RFC 7636 §4.3). */
export type CodeChallenge = { readonly challenge: string; readonly method: 's256' | 'plain' }

/** Undefined for an app that wants its tokens in the fragment. @throws when one part is missing or malformed */
export function toCodeChallenge({
  code_challenge: challenge,
  code_challenge_method: method,
}: {
  readonly code_challenge?: string
  readonly code_challenge_method?: string
}): CodeChallenge | undefined {
  if (!challenge && !method) return undefined
  if (!challenge || !method) {
    throw errors.invalid('PKCE flow requires code_challenge_method and code_challenge')
  }
  if (!/^[\w.~-]{43,128}$/.test(challenge)) {
    throw errors.invalid('code challenge has to be between 43 and 128 of A-Z a-z 0-9 - . _ ~')
  }
  const known = method.toLowerCase()
  if (known !== 's256' && known !== 'plain') {
    throw errors.invalid('code challenge method must be plain or s256')
  }
  return { challenge, method: known }
}

/** Whether the verifier belongs to the challenge (RFC 7636 §4.6). */
export function isVerifiedBy({ challenge, method }: CodeChallenge, verifier: string): boolean {
  const made = method === 's256' ? createHash('sha256').update(verifier).digest('base64url') : verifier
  const [left, right] = [Buffer.from(made), Buffer.from(challenge)]
  return left.length === right.length && timingSafeEqual(left, right)
}
