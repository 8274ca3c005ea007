import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import {
  insertPasskeyChallenge,
  type NewPasskeyChallenge,
  type PasskeyRow,
  takePasskeyChallenge,
} from '../store/passkeys.ts'
import { isUuid, newUuid } from '../uuid.ts'
import { hashChallenge } from './ceremonies.ts'

/** A passkey as it is sent. */
export function toPasskeyJson({ id, friendly_name, created_at, last_used_at }: PasskeyRow): Record<string, unknown> {
  return { id, friendly_name: friendly_name || undefined, created_at, last_used_at: last_used_at ?? undefined }
}

export function mustBeEnabled({ options }: AuthDeps): void {
  if (!options.passkeysEnabled) throw errors.passkeysDisabled()
}

type Begun = Pick<NewPasskeyChallenge, 'ceremony' | 'userId'> & { readonly options: { readonly challenge: string } }

/** Stores the challenge of `options`, and answers with them. */
export async function beginCeremony(deps: AuthDeps, { ceremony, userId, options }: Begun): Promise<Answer> {
  const id = newUuid(deps)
  const expiresAt = new Date(deps.clock.now() + deps.options.passkeyChallengeExpiry)
  const challengeHash = hashChallenge(options.challenge)
  await insertPasskeyChallenge(deps.database, { id, ceremony, userId, challengeHash, expiresAt })
  return { status: 200, body: { challenge_id: id, options, expires_at: Math.floor(expiresAt.getTime() / 1000) } }
}

/** Takes the challenge, whatever its answer will be worth. @throws when there is none, or it is too old */
export async function mustTakeChallenge(
  { database, clock }: AuthDeps,
  { id, ...of }: Pick<NewPasskeyChallenge, 'ceremony' | 'userId'> & { readonly id: string | undefined },
): Promise<string> {
  if (!id) throw errors.invalid('challenge_id is required')
  if (!isUuid(id)) throw errors.invalid('challenge_id must be a valid UUID')
  const taken = await takePasskeyChallenge(database, { id, ...of })
  if (taken === undefined) throw errors.passkeyChallengeNotFound()
  if (taken.expires_at.getTime() < clock.now()) throw errors.passkeyChallengeExpired()
  return taken.challengeHash
}
