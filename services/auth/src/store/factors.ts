import type { Queries } from '@pando/postgres/database'
import type { FactorJson } from './users.ts'

/** A security key's public half, as the public column has it. */
export type WebauthnCredential = {
  readonly id: string
  readonly publicKey: string
  readonly transport: readonly string[]
  readonly authenticator: { readonly signCount: number }
}

/** What of a factor is never sent. */
export type FactorRow = {
  readonly id: string
  readonly user_id: string
  readonly factor_type: FactorJson['factor_type']
  readonly status: FactorJson['status']
  readonly phone: string | null
  /** Sealed; plain only where it was brought along from another system. */
  readonly secret: string | null
  readonly web_authn_credential: WebauthnCredential | null
}

const columns = 'id, user_id, factor_type, status, phone, secret, web_authn_credential'

/** Only among the factors of that user. */
export async function findFactor(
  queries: Queries,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<FactorRow | undefined> {
  const text = `select ${columns} from auth.mfa_factors where id = $1 and user_id = $2`
  return (await queries.query<FactorRow>(text, [id, userId]))[0]
}

/** The ids of a user's security keys: none of them can be registered twice. */
export async function listCredentialIds(queries: Queries, userId: string): Promise<string[]> {
  const rows = await queries.query<{ id: string }>(
    `select web_authn_credential ->> 'id' as id from auth.mfa_factors
    where user_id = $1 and status = 'verified' and web_authn_credential is not null`,
    [userId],
  )
  return rows.map(({ id }) => id)
}

export type NewFactor = {
  readonly id: string
  readonly userId: string
  readonly type: FactorJson['factor_type']
  readonly friendlyName: string
  readonly secret?: string
  readonly phone?: string
}

/** Undefined when the user has another factor of that name or number. */
export async function insertFactor(queries: Queries, factor: NewFactor): Promise<{ id: string } | undefined> {
  const rows = await queries.query<{ id: string }>(
    `insert into auth.mfa_factors (id, user_id, factor_type, status, friendly_name, secret, phone, created_at, updated_at)
    values ($1, $2, $3, 'unverified', $4, $5, $6, now(), now())
    on conflict do nothing
    returning id`,
    [factor.id, factor.userId, factor.type, factor.friendlyName, factor.secret ?? null, factor.phone ?? null],
  )
  return rows[0]
}

/**
 * Factors that were begun and never proved make room: those of the same name or number, and the oldest beyond `keep`.
 */
export async function deleteAbandonedFactors(
  queries: Queries,
  given: { readonly userId: string; readonly friendlyName: string; readonly phone?: string; readonly keep: number },
): Promise<void> {
  await queries.query(
    `delete from auth.mfa_factors where user_id = $1 and status = 'unverified' and (
      (trim($2::text) <> '' and friendly_name = $2) or phone = $3 or id in (
        select id from auth.mfa_factors where user_id = $1 and status = 'unverified'
        order by created_at desc, id offset $4
      )
    )`,
    [given.userId, given.friendlyName, given.phone ?? null, given.keep],
  )
}

/** From now on the factor counts; a secret that is given replaces its old form. False when the factor is gone. */
export async function markFactorProved(queries: Queries, id: string, secret: string | undefined): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_factors set status = 'verified', secret = coalesce($2, secret), updated_at = now()
    where id = $1
    returning id`,
    [id, secret ?? null],
  )
  return rows.length === 1
}

export async function deleteUnverifiedFactors(
  queries: Queries,
  { userId, type }: { readonly userId: string; readonly type: FactorJson['factor_type'] },
): Promise<void> {
  await queries.query(
    `delete from auth.mfa_factors where user_id = $1 and factor_type = $2 and status = 'unverified'`,
    [userId, type],
  )
}

/** A code's time step is used up; false when it, or a later one, has been used before. */
export async function takeTotpStep(queries: Queries, id: string, step: number): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_factors set last_totp_step = $2
    where id = $1 and (last_totp_step is null or last_totp_step < $2)
    returning id`,
    [id, step],
  )
  return rows.length === 1
}

/** False when the factor has its key already. */
export async function saveWebauthnCredential(
  queries: Queries,
  { id, credential, aaguid }: { readonly id: string; readonly credential: WebauthnCredential; readonly aaguid: string },
): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_factors set web_authn_credential = $2, web_authn_aaguid = $3
    where id = $1 and status = 'unverified'
    returning id`,
    [id, JSON.stringify(credential), aaguid],
  )
  return rows.length === 1
}

/** False when the key has counted as far before: somebody has a copy. Keys that do not count stay at 0. */
export async function advanceSignCount(queries: Queries, id: string, count: number): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_factors set
      web_authn_credential = jsonb_set(web_authn_credential, '{authenticator,signCount}', to_jsonb($2::bigint))
    where id = $1 and ((web_authn_credential #>> '{authenticator,signCount}')::bigint < $2
      or ($2 = 0 and web_authn_credential #>> '{authenticator,signCount}' = '0'))
    returning id`,
    [id, count],
  )
  return rows.length === 1
}

export type FactorChanges = { readonly friendlyName?: string; readonly phone?: string }

/** False when another factor of the user has that name or number. */
export async function updateFactor(queries: Queries, id: string, changes: FactorChanges): Promise<boolean> {
  const rows = await queries.query(
    `update auth.mfa_factors f set friendly_name = coalesce($2, friendly_name), phone = coalesce($3, phone),
      updated_at = now()
    where id = $1 and not exists (
      select from auth.mfa_factors other
      where other.user_id = f.user_id and other.id <> f.id
        and ((trim($2) <> '' and other.friendly_name = $2) or other.phone = $3)
    )
    returning id`,
    [id, changes.friendlyName ?? null, changes.phone ?? null],
  )
  return rows.length === 1
}

/** What it was; undefined when it was gone already. */
export async function deleteFactor(queries: Queries, id: string): Promise<Pick<FactorRow, 'status'> | undefined> {
  const text = 'delete from auth.mfa_factors where id = $1 returning status'
  return (await queries.query<Pick<FactorRow, 'status'>>(text, [id]))[0]
}
