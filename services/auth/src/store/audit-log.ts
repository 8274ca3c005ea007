import type { Queries } from '@pando/postgres/database'
import type { UserRow } from './users.ts'

/** What can happen to an account, and which kind of thing that is. */
const logTypes = {
  login: 'account',
  logout: 'account',
  invite_accepted: 'account',
  user_signedup: 'team',
  user_invited: 'team',
  user_deleted: 'team',
  token_revoked: 'token',
  token_refreshed: 'token',
  user_modified: 'user',
  user_recovery_requested: 'user',
  user_reauthenticate_requested: 'user',
  user_confirmation_requested: 'user',
  user_repeated_signup: 'user',
  user_updated_password: 'user',
  identity_linked: 'user',
  identity_unlinked: 'user',
  factor_in_progress: 'factor',
  factor_unenrolled: 'factor',
  challenge_created: 'factor',
  verification_attempted: 'factor',
  factor_deleted: 'factor',
  factor_updated: 'factor',
  recovery_codes_created: 'factor',
  passkey_created: 'user',
  passkey_updated: 'user',
  passkey_deleted: 'user',
  device_attested: 'user',
  device_attestation_refused: 'user',
} as const

export type AuditEvent = {
  readonly action: keyof typeof logTypes
  /** Who did it; an admin has no row, only a role. */
  readonly actor:
    | Pick<UserRow, 'id' | 'email' | 'phone' | 'is_sso_user' | 'raw_user_meta_data'>
    | { readonly role: string }
  readonly address: string
  readonly traits?: Readonly<Record<string, unknown>>
}

/** Notes what was done; in the transaction that does it. */
export async function insertAuditEvent(queries: Queries, event: AuditEvent): Promise<void> {
  await queries.query(insertEntry('$1', '$2'), [toPayload(event), event.address])
}

/** For a statement that notes what it does; the names of two parameters. */
export const insertEntry = (payload: string, address: string): string =>
  `insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
    values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), ${payload}, clock_timestamp(), ${address})`

export const toPayload = ({ action, actor, traits }: AuditEvent): string =>
  JSON.stringify({ ...toActor(actor), action, log_type: logTypes[action], ...(traits && { traits }) })

function toActor(actor: AuditEvent['actor']): Record<string, unknown> {
  if ('role' in actor && !('id' in actor)) {
    return { actor_id: '00000000-0000-0000-0000-000000000000', actor_username: actor.role, actor_via_sso: false }
  }
  const { id, email, phone, is_sso_user, raw_user_meta_data } = actor as UserRow
  const name = raw_user_meta_data?.['full_name']
  return {
    actor_id: id,
    actor_username: phone ?? email ?? '',
    actor_via_sso: is_sso_user,
    ...(typeof name === 'string' ? { actor_name: name } : {}),
  }
}

/** Events whose author, action or type has this text in it. */
export type AuditFilter = { readonly scope: 'author' | 'action' | 'type'; readonly text: string }

type AuditRow = {
  readonly id: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly created_at: Date
  readonly ip_address: string
}

const matchesFilter = `(
  $1::text is null
  or $1 = 'author' and (strpos(lower(payload ->> 'actor_username'), $2) > 0 or strpos(lower(payload ->> 'actor_name'), $2) > 0)
  or $1 = 'action' and strpos(payload ->> 'action', $2) > 0
  or $1 = 'type' and strpos(payload ->> 'log_type', $2) > 0
)`

const toValues = (filter: AuditFilter | undefined) => [filter?.scope ?? null, filter?.text.toLowerCase() ?? null]

export async function countAuditEvents(queries: Queries, filter: AuditFilter | undefined): Promise<number> {
  const text = `select count(*)::int as count from auth.audit_log_entries where ${matchesFilter}`
  return (await queries.query<{ count: number }>(text, toValues(filter)))[0]!.count
}

export function listAuditEvents(
  queries: Queries,
  filter: AuditFilter | undefined,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<AuditRow[]> {
  const text = `select id, payload, created_at, ip_address from auth.audit_log_entries where ${matchesFilter}
    order by created_at desc, id limit $3 offset $4`
  return queries.query<AuditRow>(text, [...toValues(filter), limit, offset])
}
