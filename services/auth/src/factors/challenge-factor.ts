import type { BodyOf, Types } from '@pando/http/shape'
import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { charge } from '../limits/charge.ts'
import { newCode } from '../one-time/secrets.ts'
import { testCodeOf, toChannel } from '../one-time/send-text.ts'
import { hashChallenge, toCreationOptions, toRequestOptions } from '../passkeys/ceremonies.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertChallenge, type NewChallenge } from '../store/challenges.ts'
import { type FactorRow, listCredentialIds } from '../store/factors.ts'
import { newUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'
import { mustBeHighest } from './assurance.ts'
import { mustAllowVerify, mustFindFactor } from './find-factor.ts'

export const challengeFactorBody = (Type: Types) =>
  Type.Object({ channel: Type.Optional(Type.String({ maxLength: 100 })) })
type ChallengeFactor = BodyOf<typeof challengeFactorBody>

type Question = {
  readonly stored: Pick<NewChallenge, 'codeHash' | 'webauthn'>
  readonly frequencyMs: number
  readonly shown: Readonly<Record<string, unknown>>
  /** After the question is stored. */
  readonly send?: () => Promise<unknown>
}

/** `POST /factors/{id}/challenge`: the question that `verify` answers. */
export async function challengeFactor(deps: AuthDeps, visit: SignedInVisit, body: ChallengeFactor): Promise<Answer> {
  const { database, clock, options } = deps
  const { user, address } = visit
  const factor = await mustFindFactor(database, visit, user)
  mustAllowVerify(factor.factor_type, options)
  if (factor.status === 'unverified') mustBeHighest(visit)
  await charge(deps, visit, { rate: 'factor', phone: factor.phone ?? undefined })
  const id = newUuid(deps)
  const { stored, frequencyMs, shown, send } = await toQuestion(deps, visit, { id, factor, body })
  await database.transaction(async (tx) => {
    const { waitMs } = await insertChallenge(tx, { id, factorId: factor.id, address, frequencyMs, ...stored })
    if (waitMs > 0) throw errors.tooSoon('sms', Math.ceil(waitMs / 1000))
    const traits = { factor_id: factor.id, factor_status: factor.status }
    await insertAuditEvent(tx, { action: 'challenge_created', actor: user, address, traits })
  })
  await send?.()
  const expiresAt = Math.floor((clock.now() + options.factorChallengeExpiry) / 1000)
  return { status: 200, body: { id, type: factor.factor_type, expires_at: expiresAt, ...shown } }
}

type Asked = { readonly id: string; readonly factor: FactorRow; readonly body: ChallengeFactor }

function toQuestion(deps: AuthDeps, visit: SignedInVisit, asked: Asked): Question | Promise<Question> {
  switch (asked.factor.factor_type) {
    case 'totp':
      return { stored: {}, frequencyMs: 0, shown: {} }
    case 'phone':
      return toTextQuestion(deps, visit, asked)
    case 'webauthn':
      return toWebauthnQuestion(deps, visit, asked)
  }
}

function toTextQuestion(deps: AuthDeps, { user, headers }: SignedInVisit, { id, factor, body }: Asked): Question {
  const { options, pepper, randomBytes, sendText } = deps
  const channel = toChannel(body.channel)
  const phone = factor.phone!
  const fixed = testCodeOf(options, phone)
  const code = fixed ?? newCode(randomBytes, options.phoneFactorOtpLength)
  const acceptLanguage = headers['accept-language']
  return {
    stored: { codeHash: hashCode(pepper, id, code) },
    frequencyMs: options.phoneFactorFrequency,
    shown: {},
    ...(fixed === undefined && {
      send: () => sendText({ phone, code, channel, user, acceptLanguage, purpose: 'factor' }),
    }),
  }
}

async function toWebauthnQuestion(deps: AuthDeps, { user }: SignedInVisit, { factor }: Asked): Promise<Question> {
  const timeoutMs = deps.options.factorChallengeExpiry
  const credential = factor.status === 'verified' ? factor.web_authn_credential : null
  const type = credential === null ? 'create' : 'request'
  const publicKey =
    credential === null
      ? await toCreationOptions(deps, {
          user,
          known: await listCredentialIds(deps.database, user.id),
          residentKey: 'discouraged',
          timeoutMs,
        })
      : await toRequestOptions(deps, {
          allowed: [{ id: credential.id, transports: [...credential.transport] }],
          timeoutMs,
        })
  return {
    stored: { webauthn: { type, challengeHash: hashChallenge(publicKey.challenge) } },
    frequencyMs: 0,
    shown: { webauthn: { type, credential_options: { publicKey } } },
  }
}
