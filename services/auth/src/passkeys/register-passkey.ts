import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertPasskey, listPasskeys } from '../store/passkeys.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'
import { mustBeRegistration, toCreationOptions } from './ceremonies.ts'
import { registrationBody } from './credential-bodies.ts'
import { beginCeremony, mustBeEnabled, mustTakeChallenge, toPasskeyJson } from './passkey.ts'
import { toPasskeyName } from './passkey-names.ts'

/** `POST /passkeys/registration/options`: what `navigator.credentials.create()` is called with. */
export async function beginRegistration(deps: AuthDeps, { user }: SignedInVisit): Promise<Answer> {
  mustBeEnabled(deps)
  const { options, database } = deps
  mustBeOwnUser(user)
  const passkeys = await listPasskeys(database, user.id)
  if (passkeys.length >= options.passkeysMax) throw errors.tooManyPasskeys()
  const creation = await toCreationOptions(deps, {
    user,
    known: passkeys.map((passkey) => passkey.credential_id.toString('base64url')),
    residentKey: 'required',
    timeoutMs: options.passkeyChallengeExpiry,
  })
  return beginCeremony(deps, { ceremony: 'registration', userId: user.id, options: creation })
}

export const registerPasskeyBody = (Type: Types) =>
  Type.Object({
    challenge_id: Type.Optional(Type.String({ maxLength: 100 })),
    credential: Type.Optional(registrationBody(Type)),
  })

/** `POST /passkeys/registration/verify`: from now on the user can sign in with it. */
export async function registerPasskey(
  deps: AuthDeps,
  { user, address }: SignedInVisit,
  { challenge_id: id, credential }: BodyOf<typeof registerPasskeyBody>,
): Promise<Answer> {
  mustBeEnabled(deps)
  mustBeOwnUser(user)
  if (credential === undefined) throw errors.invalid('credential is required')
  const challengeHash = await mustTakeChallenge(deps, { id, ceremony: 'registration', userId: user.id })
  const made = await mustBeRegistration(credential, { options: deps.options, challengeHash })
  const passkey = await deps.database.transaction(async (tx) => {
    await mustHaveRoom(deps, tx, user)
    const inserted = await insertPasskey(tx, {
      id: newUuid(deps),
      userId: user.id,
      credentialId: Buffer.from(made.credential.id, 'base64url'),
      publicKey: Buffer.from(made.credential.publicKey),
      attestationType: made.fmt,
      aaguid: made.aaguid,
      signCount: made.credential.counter,
      transports: made.credential.transports ?? [],
      backupEligible: made.credentialDeviceType === 'multiDevice',
      backedUp: made.credentialBackedUp,
      friendlyName: toPasskeyName(made.aaguid),
    })
    if (inserted === undefined) throw errors.credentialExists()
    await insertAuditEvent(tx, { action: 'passkey_created', actor: user, address, traits: { passkey_id: inserted.id } })
    return inserted
  })
  return { status: 200, body: toPasskeyJson(passkey) }
}

/** Who belongs to a company's sign-in has to come through that. */
function mustBeOwnUser(user: UserRow): void {
  if (user.is_sso_user) throw errors.unprocessable('SSO users cannot register passkeys')
}

async function mustHaveRoom({ options }: AuthDeps, tx: Queries, { id }: UserRow): Promise<void> {
  if ((await findUser(tx, { id }, { lock: true })) === undefined) throw errors.userOfTokenNotFound()
  if ((await listPasskeys(tx, id)).length >= options.passkeysMax) throw errors.tooManyPasskeys()
}
