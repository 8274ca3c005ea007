import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { UserRow } from '../store/users.ts'
import { type AppAttest, mustBeAssertion, mustBeAttestation } from './app-attest.ts'
import type { AttestBody } from './attest.ts'
import type { Attested } from './attested.ts'
import { hashChallenge } from './begin-attestation.ts'
import type { PlayIntegrity } from './create-attestation.ts'
import { advanceAttestedKey, deleteOldAttestedKeys, findAttestedKey, insertAttestedKey } from './store.ts'
import { mustBeGenuine } from './verdict.ts'

/** What was proved, and what has to be kept of it, in the transaction that relies on it and has locked the user. */
type Proved = { readonly attested: Attested; readonly keep?: (tx: Queries) => Promise<void> }

/** Checks the answer to a challenge that has been taken. Rejects with attestation_failed when it proves nothing. */
export type Prove = (deps: AuthDeps, user: UserRow) => Promise<Proved>

/** A new key with what Apple says about it, or an assertion by one that is known. */
export function proveByAppAttest(appAttest: AppAttest, body: AttestBody): Prove {
  const keyId = Buffer.from(body.key_id ?? '', 'base64')
  if (keyId.length !== keyIdBytes) throw errors.invalid('key_id must be the base64 of 32 bytes')
  const { attestation, assertion, challenge } = body
  if ((attestation === undefined) === (assertion === undefined)) {
    throw errors.invalid('Either attestation or assertion is required')
  }
  const object = Buffer.from((attestation ?? assertion)!, 'base64')
  const given = { keyId, object, clientDataHash: hashChallenge(challenge) }
  return attestation === undefined ? proveByAssertion(appAttest, given) : proveByNewKey(appAttest, given)
}

const keyIdBytes = 32

type Given = Parameters<typeof mustBeAttestation>[1]

function proveByNewKey(appAttest: AppAttest, given: Given): Prove {
  return async ({ clock, options }, { id: userId }) => {
    const key = await mustBeAttestation(appAttest, given, clock.now())
    return {
      attested: { provider: 'app_attest', appId: key.appId, level: key.level },
      keep: async (tx) => {
        if (!(await insertAttestedKey(tx, { ...key, userId })))
          throw errors.attestationFailed('its key is known already')
        await deleteOldAttestedKeys(tx, userId, options.attestedKeysMax)
      },
    }
  }
}

function proveByAssertion({ appIds, developmentAllowed }: AppAttest, given: Given): Prove {
  return async ({ database }, { id: userId }) => {
    const { keyId } = given
    const key = await findAttestedKey(database, { keyId, userId })
    const isAccepted =
      key !== undefined && appIds.includes(key.app_id) && (key.level === 'production' || developmentAllowed)
    if (!isAccepted) throw errors.attestedKeyNotFound()
    const { app_id: appId, level, public_key: publicKey } = key
    const { counter } = await mustBeAssertion({ publicKey, appId }, given)
    return {
      attested: { provider: 'app_attest', appId, level },
      keep: async (tx) => {
        const advanced = await advanceAttestedKey(tx, { keyId, userId, counter })
        if (!advanced) throw errors.attestationFailed('its counter has not risen')
      },
    }
  }
}

/** A token for one of the packages, the first unless the app says which. */
export function proveByPlayIntegrity({ packages, rules, decode }: PlayIntegrity, body: AttestBody): Prove {
  const { token, challenge, package_name: packageName = packages[0]! } = body
  if (!token) throw errors.invalid('token is required')
  if (!packages.includes(packageName))
    throw errors.invalid(`package_name ${JSON.stringify(packageName)} is none of ours`)
  return async ({ clock }) => {
    const verdict = await decode(token, packageName)
    return { attested: mustBeGenuine(verdict, rules, { packageName, challenge, nowMs: clock.now() }) }
  }
}
