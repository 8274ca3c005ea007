import type { Queries } from '@pando/postgres/database'

export type PasskeyRow = {
  readonly id: string
  readonly user_id: string
  readonly credential_id: Buffer
  readonly public_key: Buffer
  /** bigint, as text. */
  readonly sign_count: string
  readonly friendly_name: string
  readonly created_at: Date
  readonly last_used_at: Date | null
}

const columns = 'id, user_id, credential_id, public_key, sign_count, friendly_name, created_at, last_used_at'

export function listPasskeys(queries: Queries, userId: string): Promise<PasskeyRow[]> {
  const text = `select ${columns} from auth.webauthn_credentials where user_id = $1 order by created_at, id`
  return queries.query<PasskeyRow>(text, [userId])
}

/** By the id that its device gave it. */
export async function findPasskey(queries: Queries, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  const text = `select ${columns} from auth.webauthn_credentials where credential_id = $1`
  return (await queries.query<PasskeyRow>(text, [credentialId]))[0]
}

export type NewPasskey = {
  readonly id: string
  readonly userId: string
  readonly credentialId: Buffer
  readonly publicKey: Buffer
  readonly attestationType: string
  readonly aaguid: string
  readonly signCount: number
  readonly transports: readonly string[]
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly friendlyName: string
}

/** Undefined when somebody has that credential already. */
export async function insertPasskey(queries: Queries, passkey: NewPasskey): Promise<PasskeyRow | undefined> {
  const rows = await queries.query<PasskeyRow>(
    `insert into auth.webauthn_credentials (id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count,
      transports, backup_eligible, backed_up, friendly_name)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (credential_id) do nothing
    returning ${columns}`,
    [
      passkey.id,
      passkey.userId,
      passkey.credentialId,
      passkey.publicKey,
      passkey.attestationType,
      passkey.aaguid,
      passkey.signCount,
      JSON.stringify(passkey.transports),
      passkey.backupEligible,
      passkey.backedUp,
      passkey.friendlyName,
    ],
  )
  return rows[0]
}

/**
 * Notes a sign-in. False when the passkey has counted as far before: somebody has a copy. Those that do not count stay
 * at 0.
 */
export async function advancePasskey(
  queries: Queries,
  { id, signCount, backedUp }: { readonly id: string; readonly signCount: number; readonly backedUp: boolean },
): Promise<boolean> {
  const rows = await queries.query(
    `update auth.webauthn_credentials set sign_count = $2, backed_up = $3, last_used_at = now(), updated_at = now()
    where id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0))
    returning id`,
    [id, signCount, backedUp],
  )
  return rows.length === 1
}

type Owned = { readonly id: string; readonly userId: string }

/** Undefined when the user has no such passkey. */
export async function renamePasskey(
  queries: Queries,
  { id, userId }: Owned,
  name: string,
): Promise<PasskeyRow | undefined> {
  const rows = await queries.query<PasskeyRow>(
    `update auth.webauthn_credentials set friendly_name = $3, updated_at = now() where id = $1 and user_id = $2
    returning ${columns}`,
    [id, userId, name],
  )
  return rows[0]
}

/** False when the user has no such passkey. */
export async function deletePasskey(queries: Queries, { id, userId }: Owned): Promise<boolean> {
  const text = 'delete from auth.webauthn_credentials where id = $1 and user_id = $2 returning id'
  return (await queries.query(text, [id, userId])).length === 1
}

type Ceremony = 'registration' | 'authentication'

export type NewPasskeyChallenge = {
  readonly id: string
  readonly ceremony: Ceremony
  readonly userId?: string
  readonly challengeHash: string
  readonly expiresAt: Date
}

/** Stores a challenge, and forgets those that are over. */
export async function insertPasskeyChallenge(queries: Queries, challenge: NewPasskeyChallenge): Promise<void> {
  await queries.query(
    `with forgotten as (delete from auth.webauthn_challenges where expires_at < now() - interval '1 hour')
    insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, expires_at)
    values ($1, $2, $3, jsonb_build_object('challengeHash', $4::text), $5)`,
    [challenge.id, challenge.userId ?? null, challenge.ceremony, challenge.challengeHash, challenge.expiresAt],
  )
}

/** Takes a challenge, so that nobody can take it again; one of a registration only for its own user. */
export async function takePasskeyChallenge(
  queries: Queries,
  { id, ceremony, userId }: Pick<NewPasskeyChallenge, 'id' | 'ceremony' | 'userId'>,
): Promise<{ readonly challengeHash: string; readonly expires_at: Date } | undefined> {
  const rows = await queries.query<{ challengeHash: string; expires_at: Date }>(
    `delete from auth.webauthn_challenges
    where id = $1 and challenge_type = $2 and user_id is not distinct from $3
    returning session_data ->> 'challengeHash' as "challengeHash", expires_at`,
    [id, ceremony, userId ?? null],
  )
  return rows[0]
}
