import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import { mustFindUser } from '../admin/find-user.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deletePasskey, listPasskeys, renamePasskey } from '../store/passkeys.ts'
import { isUuid } from '../uuid.ts'
import type { SignedInVisit, Visit } from '../visit.ts'
import { mustBeEnabled, toPasskeyJson } from './passkey.ts'

/** `GET /passkeys` */
export async function listOwnPasskeys(deps: AuthDeps, { user }: SignedInVisit): Promise<Answer> {
  mustBeEnabled(deps)
  return { status: 200, body: (await listPasskeys(deps.database, user.id)).map(toPasskeyJson) }
}

export const renamePasskeyBody = (Type: Types) =>
  Type.Object({ friendly_name: Type.Optional(Type.String({ maxLength: 1000 })) })
const nameLengthMax = 120

/** `PATCH /passkeys/{id}` */
export async function renameOwnPasskey(
  deps: AuthDeps,
  visit: SignedInVisit,
  { friendly_name: name }: BodyOf<typeof renamePasskeyBody>,
): Promise<Answer> {
  mustBeEnabled(deps)
  const { user, address } = visit
  const id = mustBePasskeyId(visit)
  if (!name) throw errors.invalid('friendly_name is required')
  if (name.length > nameLengthMax) throw errors.invalid(`friendly_name must be ${nameLengthMax} characters or less`)
  const renamed = await deps.database.transaction(async (tx) => {
    const passkey = await renamePasskey(tx, { id, userId: user.id }, name)
    if (passkey === undefined) throw errors.passkeyNotFound()
    await insertAuditEvent(tx, { action: 'passkey_updated', actor: user, address, traits: { passkey_id: id } })
    return passkey
  })
  return { status: 200, body: toPasskeyJson(renamed) }
}

/** `DELETE /passkeys/{id}` */
export async function deleteOwnPasskey(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  mustBeEnabled(deps)
  const { user, address } = visit
  const id = mustBePasskeyId(visit)
  await deps.database.transaction(async (tx) => {
    await mustDelete(tx, { id, userId: user.id })
    await insertAuditEvent(tx, { action: 'passkey_deleted', actor: user, address, traits: { passkey_id: id } })
  })
  return { status: 204 }
}

/** `GET /admin/users/{id}/passkeys` */
export async function listPasskeysAsAdmin({ database }: AuthDeps, visit: Visit): Promise<Answer> {
  const { id } = await mustFindUser(database, visit)
  return { status: 200, body: (await listPasskeys(database, id)).map(toPasskeyJson) }
}

/** `DELETE /admin/users/{id}/passkeys/{passkey_id}` */
export async function deletePasskeyAsAdmin({ database }: AuthDeps, visit: Visit): Promise<Answer> {
  const { caller, address } = visit
  await database.transaction(async (tx) => {
    const { id: userId } = await mustFindUser(tx, visit)
    const id = mustBePasskeyId(visit)
    await mustDelete(tx, { id, userId })
    const traits = { user_id: userId, passkey_id: id }
    await insertAuditEvent(tx, { action: 'passkey_deleted', actor: caller, address, traits })
  })
  return { status: 204 }
}

function mustBePasskeyId({ params }: Visit): string {
  const id = params['passkey_id']
  if (!isUuid(id)) throw errors.passkeyNotFound()
  return id
}

async function mustDelete(tx: Queries, passkey: { readonly id: string; readonly userId: string }): Promise<void> {
  if (!(await deletePasskey(tx, passkey))) throw errors.passkeyNotFound()
}
