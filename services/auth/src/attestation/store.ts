import type { Queries } from '@pando/postgres/database'
import type { AttestationClaim } from './attested.ts'
import type { AttestedKey } from './app-attest.ts'

type NewChallenge = { readonly sessionId: string; readonly hash: Buffer; readonly expiresAt: Date }

/** Puts a challenge in the place of the session's last one. False when the session has ended. */
export async function replaceChallenge(queries: Queries, challenge: NewChallenge): Promise<boolean> {
  const rows = await queries.query(
    `insert into auth.attestation_challenges (session_id, challenge_hash, expires_at)
    select id, $2, $3 from auth.sessions where id = $1
    on conflict (session_id) do update
    set challenge_hash = excluded.challenge_hash, expires_at = excluded.expires_at
    returning session_id`,
    [challenge.sessionId, challenge.hash, challenge.expiresAt],
  )
  return rows.length === 1
}

/** Takes a challenge of this session, so that nobody can take it again. */
export async function takeChallenge(
  queries: Queries,
  { sessionId, hash }: Omit<NewChallenge, 'expiresAt'>,
): Promise<{ readonly expires_at: Date } | undefined> {
  const text = `delete from auth.attestation_challenges where session_id = $1 and challenge_hash = $2
    returning expires_at`
  return (await queries.query<{ expires_at: Date }>(text, [sessionId, hash]))[0]
}

type Owned = { readonly keyId: Buffer; readonly userId: string }

export type AttestedKeyRow = {
  readonly app_id: string
  readonly level: AttestedKey['level']
  readonly public_key: Buffer
}

export async function findAttestedKey(queries: Queries, { keyId, userId }: Owned): Promise<AttestedKeyRow | undefined> {
  const text = 'select app_id, level, public_key from auth.attested_keys where key_id = $1 and user_id = $2'
  return (await queries.query<AttestedKeyRow>(text, [keyId, userId]))[0]
}

/** False when somebody has that key already. */
export async function insertAttestedKey(
  queries: Queries,
  { userId, keyId, appId, level, publicKey }: AttestedKey & Owned,
): Promise<boolean> {
  const rows = await queries.query(
    `insert into auth.attested_keys (key_id, user_id, app_id, level, public_key)
    values ($1, $2, $3, $4, $5)
    on conflict (key_id) do nothing
    returning key_id`,
    [keyId, userId, appId, level, publicKey],
  )
  return rows.length === 1
}

/** Forgets all but the `keep` keys that a user used last. */
export async function deleteOldAttestedKeys(queries: Queries, userId: string, keep: number): Promise<void> {
  await queries.query(
    `delete from auth.attested_keys where key_id in (
      select key_id from auth.attested_keys where user_id = $1 order by last_used_at desc, key_id offset $2
    )`,
    [userId, keep],
  )
}

/** Notes an assertion. False when the key has counted as far before: it is a repetition, or somebody has a copy. */
export async function advanceAttestedKey(
  queries: Queries,
  { keyId, userId, counter }: Owned & { readonly counter: number },
): Promise<boolean> {
  const text = `update auth.attested_keys set counter = $3, last_used_at = now()
    where key_id = $1 and user_id = $2 and counter < $3
    returning key_id`
  return (await queries.query(text, [keyId, userId, counter])).length === 1
}

export async function attestSession(
  queries: Queries,
  { sessionId, attestation }: { readonly sessionId: string; readonly attestation: AttestationClaim },
): Promise<void> {
  const text = 'update auth.sessions set attestation = $2, updated_at = now() where id = $1'
  await queries.query(text, [sessionId, JSON.stringify(attestation)])
}
