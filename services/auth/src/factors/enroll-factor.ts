import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { canonicalPhone } from '../phone.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteAbandonedFactors, insertFactor } from '../store/factors.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'
import { mustBeHighest } from './assurance.ts'
import { type FactorType, mustAllowEnroll } from './find-factor.ts'
import { issuerLengthMax, secretBytes, toPicture, toTotp } from './totp.ts'

export const enrollFactorBody = (Type: Types) =>
  Type.Object({
    factor_type: Type.Optional(Type.String({ maxLength: 100 })),
    friendly_name: Type.Optional(Type.String({ maxLength: 255 })),
    issuer: Type.Optional(Type.String({ maxLength: issuerLengthMax })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
  })
type EnrollFactor = BodyOf<typeof enrollFactorBody>

/** What of a new factor is stored, and what only its owner is shown, this once. */
type Beginning = {
  readonly type: FactorType
  readonly secret?: string
  readonly phone?: string
  readonly shown: Readonly<Record<string, unknown>>
}

/** `POST /factors`: begins a second factor. It counts once it has been verified. */
export async function enrollFactor(deps: AuthDeps, visit: SignedInVisit, body: EnrollFactor): Promise<Answer> {
  const id = newUuid(deps)
  const { shown, ...factor } = begin(deps, { id, user: visit.user, body })
  const friendlyName = body.friendly_name ?? ''
  await deps.database.transaction(async (tx) => {
    await makeRoom(deps, tx, { visit, phone: factor.phone, friendlyName })
    const inserted = await insertFactor(tx, { id, userId: visit.user.id, friendlyName, ...factor })
    if (inserted === undefined) throw errors.factorNameTaken(friendlyName)
    const traits = { factor_id: id, factor_type: factor.type }
    await insertAuditEvent(tx, { action: 'factor_in_progress', actor: visit.user, address: visit.address, traits })
  })
  return { status: 200, body: { id, type: factor.type, friendly_name: friendlyName, ...shown } }
}

type Given = { readonly id: string; readonly user: UserRow; readonly body: EnrollFactor }

function begin(deps: AuthDeps, { id, user, body }: Given): Beginning {
  const { options } = deps
  switch (body.factor_type) {
    case 'totp': {
      mustAllowEnroll('totp', options)
      const issuer = body.issuer || new URL(options.siteUrl).host
      const account = user.email ?? user.phone ?? user.id
      const { secret, uri } = toTotp(deps.randomBytes(secretBytes), { issuer, account })
      return {
        type: 'totp',
        secret: deps.secretBox.seal(secret, id),
        shown: { totp: { qr_code: toPicture(uri), secret, uri } },
      }
    }
    case 'phone': {
      mustAllowEnroll('phone', options)
      if (!body.phone) throw errors.invalid('Phone number required to enroll Phone factor')
      return { type: 'phone', phone: canonicalPhone(body.phone), shown: { phone: body.phone } }
    }
    case 'webauthn':
      mustAllowEnroll('webauthn', options)
      return { type: 'webauthn', shown: {} }
    default:
      throw errors.factorTypeInvalid()
  }
}

type Room = { readonly visit: SignedInVisit; readonly phone: string | undefined; readonly friendlyName: string }

/** Only verified factors count towards the limit; others make room for new ones. */
async function makeRoom({ options }: AuthDeps, tx: Queries, { visit, phone, friendlyName }: Room): Promise<void> {
  const user = await findUser(tx, { id: visit.user.id }, { lock: true })
  if (user === undefined) throw errors.userOfTokenNotFound()
  mustBeHighest({ user, session: visit.session })
  const verified = user.factors.filter(({ status }) => status === 'verified')
  if (phone !== undefined && verified.some((factor) => factor.phone === phone)) throw errors.phoneFactorExists()
  if (verified.length >= options.factorsMax) throw errors.tooManyFactors()
  await deleteAbandonedFactors(tx, { userId: user.id, friendlyName, phone, keep: options.factorsMax - 1 })
}
