import type { Queries } from '@pando/postgres/database'
import type { UserRow } from './users.ts'
import { wholeUser } from './users.ts'

export type AmrEntry = { readonly method: string; readonly timestamp: number }

/** A row of auth.sessions and how it was proved (`amr`, the newest first). */
export type SessionRow = {
  readonly id: string
  readonly user_id: string
  readonly created_at: Date
  readonly refreshed_at: Date | null
  readonly not_after: Date | null
  readonly aal: 'aal1' | 'aal2' | 'aal3' | null
  readonly refresh_token_hmac_key: string | null
  readonly refresh_token_counter: string | null
  readonly refresh_token_hash: Buffer | null
  readonly amr: readonly AmrEntry[]
}

const tokenColumns = `s.refreshed_at at time zone 'UTC' as refreshed_at, s.not_after, s.aal, s.refresh_token_hmac_key,
  s.refresh_token_counter, s.refresh_token_hash,
  coalesce((
    select json_agg(json_build_object(
      'method', a.authentication_method, 'timestamp', extract(epoch from a.updated_at)::bigint
    ) order by a.updated_at desc)
    from auth.mfa_amr_claims a where a.session_id = s.id), '[]') as amr`

/** A session and its user, in one statement. */
export async function findSessionWithUser(
  queries: Queries,
  id: string,
): Promise<{ session: SessionRow; user: UserRow } | undefined> {
  const rows = await queries.query<JoinedRow>(
    `select ${wholeUser}, s.id as session_id, s.created_at as session_created_at, ${tokenColumns}
    from auth.sessions s join auth.users u on u.id = s.user_id
    where s.id = $1`,
    [id],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const session = { ...row, id: row.session_id, user_id: row.id, created_at: row.session_created_at }
  return { session, user: row }
}

type JoinedRow = UserRow &
  Omit<SessionRow, 'id' | 'user_id' | 'created_at'> & { readonly session_id: string; readonly session_created_at: Date }

export type NewSession = {
  readonly id: string
  readonly userId: string
  readonly method: string
  readonly amrId: string
  readonly aal: 'aal1' | 'aal2'
  readonly factorId?: string
  readonly userAgent: string | undefined
  readonly address: string
  readonly tokenKey: string
  readonly tokenHash: Buffer
}

/** Writes the session, how it was proved, and when its user came, in one statement. */
export async function insertSession(queries: Queries, session: NewSession): Promise<void> {
  await queries.query(
    `with session as (
      insert into auth.sessions (id, user_id, created_at, updated_at, factor_id, aal, user_agent, ip,
        refresh_token_hmac_key, refresh_token_counter, refresh_token_hash)
      values ($1, $2, now(), now(), $3, $4, $5, $6, $7, 0, $8)
      returning id, user_id
    ), proof as (
      insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
      select $9, id, now(), now(), $10 from session
    )
    update auth.users set last_sign_in_at = now(), updated_at = now() where id = (select user_id from session)`,
    [
      session.id,
      session.userId,
      session.factorId ?? null,
      session.aal,
      session.userAgent ?? null,
      session.address,
      session.tokenKey,
      session.tokenHash,
      session.amrId,
      session.method,
    ],
  )
}

export type Rotation = {
  readonly sessionId: string
  readonly counter: bigint
  readonly hash: Buffer
  readonly nextCounter: bigint
  readonly nextHash: Buffer
  readonly userAgent: string | undefined
  readonly address: string
}

/** Puts the next refresh token in the place of the one given; false when another request has done so already. */
export async function rotateRefreshToken(queries: Queries, rotation: Rotation): Promise<boolean> {
  const rows = await queries.query(
    `update auth.sessions set refresh_token_counter = $4, refresh_token_hash = $5,
      refreshed_at = now() at time zone 'UTC', updated_at = now(), user_agent = $6, ip = $7
    where id = $1 and refresh_token_counter = $2 and refresh_token_hash = $3
    returning id`,
    [
      rotation.sessionId,
      String(rotation.counter),
      rotation.hash,
      String(rotation.nextCounter),
      rotation.nextHash,
      rotation.userAgent ?? null,
      rotation.address,
    ],
  )
  return rows.length === 1
}

export type Raise = {
  readonly sessionId: string
  readonly factorId: string
  readonly method: string
  readonly amrId: string
  /** Of a refresh token that no earlier one leads to. */
  readonly tokenHash: Buffer
}

/**
 * A second factor was proved: the session reaches aal2, and goes on with a new refresh token, two places ahead so that
 * earlier ones are neither the latest nor its parent. The place, or undefined when the session has ended.
 */
export async function raiseSession(queries: Queries, raise: Raise): Promise<number | undefined> {
  const rows = await queries.query<{ counter: string }>(
    `with session as (
      update auth.sessions set aal = 'aal2', factor_id = $2, refresh_token_hash = $3,
        refresh_token_counter = coalesce(refresh_token_counter, 0) + 2, refreshed_at = now() at time zone 'UTC',
        updated_at = now()
      where id = $1
      returning id, refresh_token_counter
    ), proof as (
      insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
      select $4, id, now(), now(), $5 from session
      on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at
    )
    select refresh_token_counter as counter from session`,
    [raise.sessionId, raise.factorId, raise.tokenHash, raise.amrId, raise.method],
  )
  return rows[0] === undefined ? undefined : Number(rows[0].counter)
}

/** Sessions that were raised by a factor fall back to aal1. */
export async function lowerSessions(queries: Queries, factorId: string): Promise<void> {
  await queries.query(
    `with session as (
      update auth.sessions set aal = 'aal1', factor_id = null, updated_at = now() where factor_id = $1 returning id
    )
    delete from auth.mfa_amr_claims where session_id in (select id from session)
      and authentication_method in ('totp', 'mfa/phone', 'mfa/webauthn', 'recovery_code')`,
    [factorId],
  )
}

/** All but one of a user's sessions that no second factor was proved for. */
export async function deleteLowSessions(
  queries: Queries,
  { userId, except }: { readonly userId: string; readonly except: string },
): Promise<void> {
  await queries.query(`delete from auth.sessions where user_id = $1 and id <> $2 and (aal is null or aal = 'aal1')`, [
    userId,
    except,
  ])
}

/** Which sessions of a user end: one, all but one, or all. */
export type Ending = { readonly only: string } | { readonly userId: string; readonly except?: string }

export async function deleteSessions(queries: Queries, ending: Ending): Promise<void> {
  if ('only' in ending) {
    await queries.query('delete from auth.sessions where id = $1', [ending.only])
    return
  }
  await queries.query('delete from auth.sessions where user_id = $1 and ($2::uuid is null or id <> $2)', [
    ending.userId,
    ending.except ?? null,
  ])
}

export function listOtherSessions(queries: Queries, { id, user_id }: SessionRow): Promise<SessionRow[]> {
  const text = `select s.id, s.user_id, s.created_at, ${tokenColumns} from auth.sessions s
    where s.user_id = $1 and s.id <> $2`
  return queries.query<SessionRow>(text, [user_id, id])
}
