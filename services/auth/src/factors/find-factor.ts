import type { Queries } from '@pando/postgres/database'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { type FactorRow, findFactor } from '../store/factors.ts'
import type { FactorJson, UserRow } from '../store/users.ts'
import { isUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'

export type FactorType = FactorJson['factor_type']

/** The factor of this user whose id is in the path. */
export async function mustFindFactor(queries: Queries, { params }: Visit, user: UserRow): Promise<FactorRow> {
  const id = params['factor_id']
  if (!isUuid(id)) throw errors.factorIdInvalid()
  const factor = await findFactor(queries, { id, userId: user.id })
  if (factor === undefined) throw errors.factorNotFound()
  return factor
}

/** A factor as it is sent. */
export function toFactorJson({ factors }: UserRow, { id }: Pick<FactorRow, 'id'>): FactorJson {
  const factor = factors.find((each) => each.id === id)
  if (factor === undefined) throw errors.factorNotFound()
  return factor
}

export function mustAllowEnroll(type: FactorType, options: AuthOptions): void {
  const { totpEnrollEnabled: totp, phoneFactorEnrollEnabled: phone, webauthnEnrollEnabled: webauthn } = options
  if (!{ totp, phone, webauthn }[type]) throw errors.enrollDisabled(type)
}

export function mustAllowVerify(type: FactorType, options: AuthOptions): void {
  const { totpVerifyEnabled: totp, phoneFactorVerifyEnabled: phone, webauthnVerifyEnabled: webauthn } = options
  if (!{ totp, phone, webauthn }[type]) throw errors.verifyDisabled(type)
}
