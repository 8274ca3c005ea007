import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { mustBeAssertion, mustBeRegistration } from '../passkeys/ceremonies.ts'
import type { Assertion, Registration } from '../passkeys/credential-bodies.ts'
import { hasChallenge, takeWebauthnQuestion, type WebauthnQuestion } from '../store/challenges.ts'
import { advanceSignCount, type FactorRow, saveWebauthnCredential } from '../store/factors.ts'
import type { Proof } from './try-code.ts'

export type WebauthnAnswer = { readonly type: string; readonly credential_response: Registration | Assertion }

type Answered = { readonly factor: FactorRow; readonly challengeId: string; readonly answer: WebauthnAnswer }

/** Checks what a security key answered. The challenge is used up whatever that is. */
export async function tryWebauthn(deps: AuthDeps, { factor, challengeId, answer }: Answered): Promise<Proof> {
  const { challengeHash, type } = await mustTakeQuestion(deps, factor, challengeId)
  if (answer.type !== type) throw errors.invalid(`WebAuthn type must be ${type}`)
  const expected = { options: deps.options, challengeHash }
  const { credential_response: given } = answer
  if (type === 'create') {
    if (!('attestationObject' in given.response)) throw errors.webauthnFailed()
    return toNewKey(factor, await mustBeRegistration(given as Registration, expected))
  }
  const credential = factor.web_authn_credential
  if (credential === null || !('signature' in given.response)) throw errors.webauthnFailed()
  const stored = {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey, 'base64url'),
    counter: credential.authenticator.signCount,
  }
  const { newCounter } = await mustBeAssertion(given as Assertion, { ...expected, stored })
  return { method: 'mfa/webauthn', take: (tx) => advanceSignCount(tx, factor.id, newCounter) }
}

async function mustTakeQuestion(
  { database, options }: AuthDeps,
  { id: factorId }: FactorRow,
  id: string,
): Promise<WebauthnQuestion> {
  const challenge = { id, factorId, expiryMs: options.factorChallengeExpiry }
  const question = await takeWebauthnQuestion(database, challenge)
  if (question !== undefined) return question
  throw (await hasChallenge(database, challenge)) ? errors.challengeExpired(id) : errors.challengeNotFound()
}

function toNewKey({ id }: FactorRow, made: Awaited<ReturnType<typeof mustBeRegistration>>): Proof {
  const credential = {
    id: made.credential.id,
    publicKey: Buffer.from(made.credential.publicKey).toString('base64url'),
    transport: made.credential.transports ?? [],
    authenticator: { signCount: made.credential.counter },
  }
  return { method: 'mfa/webauthn', take: (tx) => saveWebauthnCredential(tx, { id, credential, aaguid: made.aaguid }) }
}
