import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { startSession } from '../sessions/start-session.ts'
import { advancePasskey, findPasskey, type PasskeyRow } from '../store/passkeys.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { mustBeAssertion, toRequestOptions } from './ceremonies.ts'
import { type Assertion, assertionBody } from './credential-bodies.ts'
import { beginCeremony, mustBeEnabled, mustTakeChallenge } from './passkey.ts'

/**
 * `POST /passkeys/authentication/options`: what `navigator.credentials.get()` is called with; it tells of no account.
 */
export async function beginSignIn(deps: AuthDeps): Promise<Answer> {
  mustBeEnabled(deps)
  const request = await toRequestOptions(deps, { timeoutMs: deps.options.passkeyChallengeExpiry })
  return beginCeremony(deps, { ceremony: 'authentication', options: request })
}

export const passkeySignInBody = (Type: Types) =>
  Type.Object({
    challenge_id: Type.Optional(Type.String({ maxLength: 100 })),
    credential: Type.Optional(assertionBody(Type)),
  })

/** `POST /passkeys/authentication/verify`: a session of whom the passkey belongs to. */
export async function signInWithPasskey(
  deps: AuthDeps,
  visit: Visit,
  { challenge_id: id, credential }: BodyOf<typeof passkeySignInBody>,
): Promise<Answer> {
  mustBeEnabled(deps)
  if (credential === undefined) throw errors.invalid('credential is required')
  const challengeHash = await mustTakeChallenge(deps, { id, ceremony: 'authentication' })
  const { passkey, user } = await mustFindOwner(deps, credential)
  const stored = {
    id: passkey.credential_id.toString('base64url'),
    publicKey: passkey.public_key,
    counter: Number(passkey.sign_count),
  }
  const { newCounter, credentialBackedUp } = await mustBeAssertion(credential, {
    options: deps.options,
    challengeHash,
    stored,
  })
  mustBeUsable(user, deps.clock.now())
  const session = await deps.database.transaction(async (tx) => {
    const used = await advancePasskey(tx, { id: passkey.id, signCount: newCounter, backedUp: credentialBackedUp })
    if (!used) throw errors.webauthnFailed()
    return startSession(deps, tx, { user, method: 'passkey', visit })
  })
  return { status: 200, body: session }
}

/**
 * The passkey and its user; the two that the authenticator names must belong together (WebAuthn Level 3 §7.2, step 6).
 */
async function mustFindOwner(
  { database }: AuthDeps,
  { id, response }: Assertion,
): Promise<{ passkey: PasskeyRow; user: UserRow }> {
  const passkey = await findPasskey(database, Buffer.from(id, 'base64url'))
  const handle = Buffer.from(response.userHandle ?? '', 'base64url').toString()
  if (passkey === undefined || passkey.user_id !== handle) throw errors.webauthnFailed()
  const user = await findUser(database, { id: passkey.user_id })
  if (user === undefined) throw errors.webauthnFailed()
  return { passkey, user }
}

function mustBeUsable(user: UserRow, nowMs: number): void {
  if (user.email !== null && user.email_confirmed_at === null) throw errors.emailNotConfirmed()
  if (user.phone !== null && user.phone_confirmed_at === null) throw errors.phoneNotConfirmed()
  if (isBanned(user, nowMs)) throw errors.userBannedNow()
}
