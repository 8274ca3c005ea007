import { timingSafeEqual } from 'node:crypto'
import type { Queries } from '@pando/postgres/database'
import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Method } from '../sessions/start-session.ts'
import { closeChallenge, hasChallenge, takeTry } from '../store/challenges.ts'
import { type FactorRow, takeTotpStep } from '../store/factors.ts'
import { takeRecoveryCode } from '../store/recovery-codes.ts'
import { deleteSessions } from '../store/sessions.ts'
import type { Visit } from '../visit.ts'
import { toRecoveryCode } from './recovery-codes.ts'
import { toTotpStep } from './totp.ts'

/** Something that was right, and what has to be used up for it to count; `take` says whether it still could be. */
export type Proof = {
  readonly method: Method
  readonly take: (tx: Queries) => Promise<boolean>
  /** The factor's secret as it should be stored from now on. */
  readonly secret?: string
}

export type Answered = { readonly factor: FactorRow; readonly challengeId: string; readonly code: string }

/** Wrong codes that one challenge takes; how many of one person are taken is a matter of `limits`. */
const triesMax = 5

const wrong = {
  totp: 'Invalid TOTP code entered',
  phone: 'Invalid MFA Phone code entered',
  webauthn: 'Invalid recovery code entered',
} as const

/**
 * Uses up one of the challenge's tries and checks a code: of an app, of a text message or of recovery. It counts as a
 * wrong one until it is taken, so that a thousand guesses at once count as a thousand.
 */
export async function tryCode(deps: AuthDeps, { address }: Visit, answered: Answered): Promise<Proof> {
  const { factor, challengeId } = answered
  const attempt = { secret: 'factor', account: factor.user_id, address } as const
  await deps.limits.begin(attempt)
  const codeHash = await mustTakeTry(deps, answered)
  const proof = (await toProof(deps, answered, codeHash)) ?? toRecovery(deps, answered)
  await askHook(deps, { factor, address, valid: proof !== undefined })
  if (proof === undefined) throw errors.verificationFailed(wrong[factor.factor_type])
  return {
    ...proof,
    take: async (tx) => {
      if (!(await closeChallenge(tx, challengeId))) throw errors.challengeExpired(challengeId)
      if (!(await proof.take(tx))) throw errors.verificationFailed(wrong[factor.factor_type])
      await deps.limits.end(tx, attempt)
      return true
    },
  }
}

/** The hash of the code that was sent, if one was. */
async function mustTakeTry({ database, options }: AuthDeps, { factor, challengeId: id }: Answered) {
  const challenge = { id, factorId: factor.id, expiryMs: options.factorChallengeExpiry }
  const taken = await takeTry(database, { ...challenge, triesMax })
  if (taken !== undefined) return taken.otp_code
  throw (await hasChallenge(database, challenge)) ? errors.challengeExpired(id) : errors.challengeNotFound()
}

type Attempted = { readonly factor: FactorRow; readonly address: string; readonly valid: boolean }

/** Who is rejected is signed out everywhere. */
async function askHook({ hooks, database }: AuthDeps, { factor, address, valid }: Attempted): Promise<void> {
  const { id: factor_id, user_id, factor_type } = factor
  const answer = await hooks.mfaVerificationAttempt?.({ user_id, factor_id, factor_type, valid }, { address })
  if (answer?.decision !== 'reject') return
  await deleteSessions(database, { userId: user_id })
  throw errors.mfaRejected(answer.message)
}

async function toProof(
  deps: AuthDeps,
  { factor, challengeId, code }: Answered,
  codeHash: string | null,
): Promise<Proof | undefined> {
  if (factor.factor_type === 'totp') {
    const { plain, resealed } = openSecret(deps, factor)
    const step = toTotpStep(plain, code, deps.clock.now())
    if (step === undefined) return undefined
    return { method: 'totp', take: (tx) => takeTotpStep(tx, factor.id, step), secret: resealed }
  }
  if (factor.factor_type !== 'phone' || codeHash === null) return undefined
  const isSent = isEqual(hashCode(deps.pepper, challengeId, code), codeHash)
  const isRight = isSent || (await deps.verifyText?.(factor.phone!, code)) === true
  return isRight ? { method: 'mfa/phone', take: () => Promise.resolve(true) } : undefined
}

/** A recovery code stands in for a factor that has been verified; it cannot verify a new one. */
function toRecovery({ pepper }: AuthDeps, { factor, code }: Answered): Proof | undefined {
  const recovery = factor.status === 'verified' ? toRecoveryCode(code) : undefined
  if (recovery === undefined) return undefined
  const hash = hashCode(pepper, factor.user_id, recovery)
  return { method: 'recovery_code', take: (tx) => takeRecoveryCode(tx, factor.user_id, hash) }
}

/** Accounts that were brought along have plain secrets (base32 has no dot); they are sealed when they are used. */
function openSecret({ secretBox }: AuthDeps, { id, secret }: FactorRow): { plain: string; resealed?: string } {
  const stored = secret ?? ''
  if (stored.includes('.')) return { plain: secretBox.open(stored, id) }
  return { plain: stored, resealed: secretBox.seal(stored, id) }
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
