import type { Queries } from '@pando/postgres/database'

/**
 * Takes away everything that lets somebody into an account, except one address: sessions, flows and tokens on their
 * way, second factors and passkeys, identities, the password, the other address.
 */
export async function disown(
  queries: Queries,
  userId: string,
  kept: { readonly address: 'email' | 'phone'; readonly flowId?: string },
): Promise<void> {
  for (const text of [
    'delete from auth.sessions where user_id = $1',
    'delete from auth.one_time_tokens where user_id = $1',
    'delete from auth.mfa_factors where user_id = $1',
    'delete from auth.mfa_recovery_codes where user_id = $1',
    'delete from auth.webauthn_credentials where user_id = $1',
  ]) {
    await queries.query(text, [userId])
  }
  await queries.query('delete from auth.flow_state where user_id = $1 and id is distinct from $2', [
    userId,
    kept.flowId ?? null,
  ])
  await queries.query('delete from auth.identities where user_id = $1 and provider <> $2', [userId, kept.address])
  await queries.query(
    `update auth.users set
      encrypted_password = '',
      email = case when $2 = 'email' then email end,
      email_confirmed_at = case when $2 = 'email' then email_confirmed_at end,
      phone = case when $2 = 'phone' then phone end,
      phone_confirmed_at = case when $2 = 'phone' then phone_confirmed_at end,
      email_change = '', email_change_confirm_status = 0, phone_change = '', updated_at = now()
    where id = $1`,
    [userId, kept.address],
  )
}

/** Writes the names of all providers of a person's identities where apps and policies look for them. */
export async function noteProviders(queries: Queries, userId: string): Promise<void> {
  await queries.query(
    `update auth.users u set raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}')
      || jsonb_build_object('provider', known.providers -> 0, 'providers', known.providers)
    from (
      select jsonb_agg(provider order by first) as providers
      from (select provider, min(created_at) as first from auth.identities where user_id = $1 group by provider) as firsts
    ) as known
    where u.id = $1 and known.providers is not null`,
    [userId],
  )
}
