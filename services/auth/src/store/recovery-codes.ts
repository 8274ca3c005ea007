import type { Queries } from '@pando/postgres/database'

/** The user has exactly these from now on. */
export async function replaceRecoveryCodes(queries: Queries, userId: string, hashes: readonly string[]): Promise<void> {
  await queries.query('delete from auth.mfa_recovery_codes where user_id = $1', [userId])
  await queries.query(
    'insert into auth.mfa_recovery_codes (user_id, code_hash) select $1, code_hash from unnest($2::text[]) as code_hash',
    [userId, hashes],
  )
}

/** Uses one up; false when the user has no such code, or no longer. */
export async function takeRecoveryCode(queries: Queries, userId: string, hash: string): Promise<boolean> {
  const text = 'delete from auth.mfa_recovery_codes where user_id = $1 and code_hash = $2 returning user_id'
  return (await queries.query(text, [userId, hash])).length === 1
}

export async function countRecoveryCodes(queries: Queries, userId: string): Promise<number> {
  const text = 'select count(*)::int as count from auth.mfa_recovery_codes where user_id = $1'
  return (await queries.query<{ count: number }>(text, [userId]))[0]!.count
}
