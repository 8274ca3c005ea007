import type { Queries } from '@pando/postgres/database'

export type Replacement = {
  readonly phoneGoes: boolean
  readonly passwordGoes: boolean
  /** Absent where the address stays; null where there is none from now on. */
  readonly email?: string | null
  readonly emailConfirmed?: boolean
}

/**
 * What of an account changes with the identity that it was about. What was sent to the old address proves nothing now.
 */
export async function replaceAddress(queries: Queries, userId: string, replacement: Replacement): Promise<void> {
  const { phoneGoes, passwordGoes, email, emailConfirmed = false } = replacement
  await queries.query(
    `update auth.users set
      phone = case when $2 then null else phone end,
      phone_confirmed_at = case when $2 then null else phone_confirmed_at end,
      encrypted_password = case when $3 then '' else encrypted_password end,
      email = case when $4 then $5 else email end,
      email_confirmed_at = case when not $4 then email_confirmed_at when $6 then now() end,
      updated_at = now()
    where id = $1`,
    [userId, phoneGoes, passwordGoes, email !== undefined, email ?? null, emailConfirmed],
  )
  if (email !== undefined) await queries.query('delete from auth.one_time_tokens where user_id = $1', [userId])
}
