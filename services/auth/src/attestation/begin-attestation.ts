import { hash } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import type { SessionRow } from '../store/sessions.ts'
import type { SignedInVisit } from '../visit.ts'
import { replaceChallenge } from './store.ts'

const challengeBytes = 32

/**
 * `POST /attestation/challenge`: 43 letters of base64url, which App Attest signs the SHA-256 of and Play Integrity
 * takes as `nonce` or `requestHash`. A session has one; asking again replaces it.
 */
export async function beginAttestation(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  const { attestation, database, randomBytes, clock, options } = deps
  if (attestation.appAttest === undefined && attestation.playIntegrity === undefined) throw errors.attestationDisabled()
  const { id: sessionId } = mustHaveSession(visit)
  const challenge = randomBytes(challengeBytes).toString('base64url')
  const expiresAt = new Date(clock.now() + options.attestationChallengeExpiry)
  const isThere = await replaceChallenge(database, { sessionId, hash: hashChallenge(challenge), expiresAt })
  if (!isThere) throw errors.sessionOfTokenNotFound()
  return { status: 200, body: { challenge, expires_at: Math.floor(expiresAt.getTime() / 1000) } }
}

/** Only sessions can be attested, not tokens that another system signed. */
export function mustHaveSession({ session }: SignedInVisit): SessionRow {
  if (session === undefined) throw errors.sessionOfTokenNotFound()
  return session
}

export const hashChallenge = (challenge: string): Buffer => hash('sha256', challenge, 'buffer')
