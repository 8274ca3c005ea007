import type { Queries } from '@pando/postgres/database'

/** What was asked of a security key; only the hash of the challenge. */
export type WebauthnQuestion = { readonly type: 'create' | 'request'; readonly challengeHash: string }

export type NewChallenge = {
  readonly id: string
  readonly factorId: string
  readonly address: string
  readonly codeHash?: string
  readonly webauthn?: WebauthnQuestion
  /** Shortest time since the last question, in milliseconds. */
  readonly frequencyMs: number
}

/**
 * Puts a question to a factor, and forgets those that are a day old. The time to wait (milliseconds) when the factor
 * was asked too recently.
 */
export async function insertChallenge(queries: Queries, challenge: NewChallenge): Promise<{ waitMs: number }> {
  const rows = await queries.query<{ inserted: boolean; wait_ms: number }>(
    `with factor as (
      update auth.mfa_factors set last_challenged_at = clock_timestamp()
      where id = $2 and (
        $3 = 0 or last_challenged_at is null or last_challenged_at <= clock_timestamp() - $3 * interval '1 millisecond')
      returning id
    ), forgotten as (
      delete from auth.mfa_challenges where factor_id = $2 and created_at < now() - interval '1 day'
    ), challenge as (
      insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code, web_authn_session_data)
      select $1, id, now(), $4, $5, $6 from factor
      returning id
    )
    select exists (select from challenge) as inserted, coalesce((
      select extract(epoch from last_challenged_at - clock_timestamp()) * 1000 + $3
      from auth.mfa_factors where id = $2), 0)::float8 as wait_ms`,
    [
      challenge.id,
      challenge.factorId,
      challenge.frequencyMs,
      challenge.address,
      challenge.codeHash ?? null,
      challenge.webauthn === undefined ? null : JSON.stringify(challenge.webauthn),
    ],
  )
  const { inserted, wait_ms } = rows[0]!
  return { waitMs: inserted ? 0 : Math.max(wait_ms, 1) }
}

type OpenChallenge = { readonly id: string; readonly factorId: string; readonly expiryMs: number }

/** Takes one of the tries that an open challenge allows; undefined when it is closed, too old or has had enough. */
export async function takeTry(
  queries: Queries,
  { id, factorId, expiryMs, triesMax }: OpenChallenge & { readonly triesMax: number },
): Promise<{ readonly otp_code: string | null } | undefined> {
  const rows = await queries.query<{ otp_code: string | null }>(
    `update auth.mfa_challenges set tries = tries + 1
    where id = $1 and factor_id = $2 and verified_at is null and tries < $4
      and created_at > now() - $3 * interval '1 millisecond'
    returning otp_code`,
    [id, factorId, expiryMs, triesMax],
  )
  return rows[0]
}

export async function hasChallenge(
  queries: Queries,
  { id, factorId }: { readonly id: string; readonly factorId: string },
): Promise<boolean> {
  const text = 'select id from auth.mfa_challenges where id = $1 and factor_id = $2'
  return (await queries.query(text, [id, factorId])).length === 1
}

/** The challenge is answered; false when it was before. */
export async function closeChallenge(queries: Queries, id: string): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_challenges set verified_at = now() where id = $1 and verified_at is null returning id`,
    [id],
  )
  return rows.length === 1
}

/** Closes a question to a security key whatever the answer will be; undefined when there is none that is open. */
export async function takeWebauthnQuestion(
  queries: Queries,
  { id, factorId, expiryMs }: OpenChallenge,
): Promise<WebauthnQuestion | undefined> {
  const rows = await queries.query<{ web_authn_session_data: WebauthnQuestion }>(
    `update auth.mfa_challenges set verified_at = now()
    where id = $1 and factor_id = $2 and verified_at is null and web_authn_session_data is not null
      and created_at > now() - $3 * interval '1 millisecond'
    returning web_authn_session_data`,
    [id, factorId, expiryMs],
  )
  return rows[0]?.web_authn_session_data
}
