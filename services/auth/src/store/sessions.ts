import { secondFactorMethods } from '@pando/http/auth/lower-caller'
import type { Queries } from '@pando/postgres/database'
import type { AttestationClaim } from '../attestation/attested.ts'
import type { AttemptRow } from '../limits/store.ts'
import { insertEntry } from './audit-log.ts'
import type { ProviderProof } from '../providers/provider-proof.ts'
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
  readonly attestation: AttestationClaim | null
  readonly provider_proof: ProviderProof | null
  readonly amr: readonly AmrEntry[]
}

const tokenColumns = `s.refreshed_at at time zone 'UTC' as refreshed_at, s.not_after, s.aal, s.refresh_token_hmac_key,
  s.refresh_token_counter, s.refresh_token_hash, s.attestation, s.provider_proof,
  coalesce((
    select json_agg(json_build_object(
      'method', a.authentication_method, 'timestamp', floor(extract(epoch from a.updated_at))::bigint
    ) order by a.updated_at desc)
    from auth.mfa_amr_claims a where a.session_id = s.id), '[]') as amr`

export type SessionWithUser = { readonly session: SessionRow; readonly user: UserRow }

/** A session and its user, in one statement. */
export async function findSessionWithUser(queries: Queries, id: string): Promise<SessionWithUser | undefined> {
  const rows = await queries.query<JoinedRow>(
    `select ${joinedColumns} from auth.sessions s join auth.users u on u.id = s.user_id where s.id = $1`,
    [id],
  )
  return rows[0] && toSessionWithUser(rows[0])
}

const joinedColumns = `${wholeUser}, s.id as session_id, s.created_at as session_created_at, ${tokenColumns}`

type JoinedRow = UserRow &
  Omit<SessionRow, 'id' | 'user_id' | 'created_at'> & { readonly session_id: string; readonly session_created_at: Date }

function toSessionWithUser(row: JoinedRow): SessionWithUser {
  const session = { ...row, id: row.session_id, user_id: row.id, created_at: row.session_created_at }
  return { session, user: row }
}

export type NewSession = {
  readonly id: string
  readonly userId: string
  readonly method: string
  readonly userAgent: string | undefined
  readonly address: string
  readonly tokenKey: string
  readonly tokenHash: Buffer
  /** Of the line in the audit log. */
  readonly payload: string
  readonly providerProof: ProviderProof | undefined
  /** Takes the place of an outdated one. */
  readonly passwordHash: string | undefined
  /** An attempt that was right. */
  readonly attempt: AttemptRow | undefined
}

/**
 * Writes the session, how it was proved, when its user came, and the line in the audit log, in one statement: the second
 * most frequent write there is. Tells who it is; undefined when the user has gone meanwhile.
 */
export async function insertSession(queries: Queries, session: NewSession): Promise<UserRow | undefined> {
  const { attempt } = session
  const rows = await queries.query<UserRow>(attempt === undefined ? insertion : insertionAfterAttempt, [
    session.id,
    session.userId,
    session.userAgent ?? null,
    session.address,
    session.tokenKey,
    session.tokenHash,
    session.method,
    session.passwordHash ?? null,
    session.payload,
    session.providerProof === undefined ? null : JSON.stringify(session.providerProof),
    ...(attempt === undefined ? [] : [attempt.account, attempt.network]),
  ])
  return rows[0]
}

/** `last` is told once the user is locked: locks are taken in this order. */
const toInsertion = (last: string): string =>
  `with session as (
    insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip, refresh_token_hmac_key,
      refresh_token_counter, refresh_token_hash, provider_proof)
    select $1, u.id, now(), now(), 'aal1', $3, $4::text::inet, $5, 0, $6, $10 from auth.users u where u.id = $2
    returning id, user_id
  ), proof as (
    insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
    select gen_random_uuid(), id, now(), now(), $7 from session
  ), entry as (
    ${insertEntry('$9', '$4')}
  ), u as (
    update auth.users set last_sign_in_at = now(), updated_at = now(),
      encrypted_password = coalesce($8, encrypted_password)
    where id = (select user_id from session)
    returning *
  )
  select ${wholeUser}${last} from u`

const insertion = toInsertion('')
const insertionAfterAttempt = toInsertion(', auth.end_attempt($11, $12)')

/** A refresh token that may be the latest of its session, and what a session must be to go on. */
export type Advance = {
  readonly sessionId: string
  readonly counter: number
  readonly secret: Buffer
  readonly now: Date
  /** Sessions that began, or were used last, before these have expired; undefined without such a limit. */
  readonly begunAfter: Date | undefined
  readonly usedAfter: Date | undefined
  /** Whether a session of the same user that was used later ends this one. */
  readonly onlyNewest: boolean
  readonly userAgent: string | undefined
  readonly address: string
}

const lastUsed = (table: string): string => `coalesce(${table}.refreshed_at at time zone 'UTC', ${table}.created_at)`

const isAlive = (table: string): string => `(${table}.not_after is null or ${table}.not_after >= $4::timestamptz)
  and ${table}.created_at >= coalesce($5::timestamptz, '-infinity') and ${lastUsed(table)} >= coalesce($6::timestamptz, '-infinity')`

/**
 * Moves a session on to its next refresh token, when the one given is the latest and nothing speaks against it: one
 * statement for the most frequent write there is. Undefined otherwise, and nothing has changed.
 */
export async function advanceSession(queries: Queries, advance: Advance): Promise<SessionWithUser | undefined> {
  const rows = await queries.query<JoinedRow>(
    `update auth.sessions s set refresh_token_counter = $2 + 1,
      refresh_token_hash = sha256(substr(sha256(convert_to(s.refresh_token_hmac_key, 'UTF8') || $3), 1, 16)),
      refreshed_at = now() at time zone 'UTC', updated_at = now(), user_agent = $8, ip = $9
    from auth.users u
    where s.id = $1 and s.refresh_token_counter = $2 and s.refresh_token_hash = sha256($3) and ${isAlive('s')}
      and u.id = s.user_id and (u.banned_until is null or u.banned_until <= $4)
      and not ($7 and exists (
        select from auth.sessions o where o.user_id = s.user_id and ${lastUsed('o')} > ${lastUsed('s')} and ${isAlive('o')}
      ))
    returning ${joinedColumns}`,
    [
      advance.sessionId,
      advance.counter,
      advance.secret,
      advance.now,
      advance.begunAfter ?? null,
      advance.usedAfter ?? null,
      advance.onlyNewest,
      advance.userAgent ?? null,
      advance.address,
    ],
  )
  return rows[0] && toSessionWithUser(rows[0])
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
      and authentication_method = any($2)`,
    [factorId, secondFactorMethods],
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
