import { createHmac } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import type { Metadata, UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import { newUuid } from '../uuid.ts'
import type { Request } from './request-confirmation.ts'

/**
 * What a new account would look like, for an address that has one already: nobody learns who has an account. The id is
 * the same each time, as that of an account which waits for its confirmation would be.
 */
export function toPretendedUser(
  deps: AuthDeps,
  { account, body }: Request,
  known: string | undefined,
): Record<string, unknown> {
  const { provider, key } = account
  const [address] = Object.values(key) as [string]
  const made = (what: string): string =>
    newUuid({
      randomBytes: (bytes) =>
        createHmac('sha256', deps.pepper).update(`${what} ${address}`).digest().subarray(0, bytes),
    })
  const id = known ?? made('user')
  const now = new Date(deps.clock.now())
  // As Postgres writes it in JSON.
  const text = now.toISOString().replace('Z', '000+00:00')
  const facts = { sub: id, ...key, email_verified: false, phone_verified: false }
  const data = inJsonbOrder({ ...body.data, ...facts }) as Metadata
  const pretended: UserRow = {
    ...nobody,
    id,
    ...key,
    confirmation_sent_at: now,
    created_at: now,
    updated_at: now,
    raw_app_meta_data: { provider, providers: [provider] },
    raw_user_meta_data: data,
    identities: [
      {
        id,
        ...('email' in key ? { email: key.email } : {}),
        user_id: id,
        provider,
        created_at: text,
        updated_at: text,
        identity_id: made('identity'),
        identity_data: data,
        last_sign_in_at: text,
      },
    ],
  }
  return toUserJson(pretended)
}

/** Postgres keeps the members of an object by the length of their names, then by their bytes. */
function inJsonbOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inJsonbOrder)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => ({ bytes: Buffer.from(name), name, member }))
  members.sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes))
  return Object.fromEntries(members.map(({ name, member }) => [name, inJsonbOrder(member)]))
}

const nobody: Omit<UserRow, 'id'> = {
  aud: 'authenticated',
  role: 'authenticated',
  email: null,
  encrypted_password: null,
  email_confirmed_at: null,
  invited_at: null,
  confirmation_sent_at: null,
  recovery_sent_at: null,
  email_change: null,
  email_change_sent_at: null,
  email_change_confirm_status: null,
  last_sign_in_at: null,
  raw_app_meta_data: null,
  raw_user_meta_data: null,
  created_at: null,
  updated_at: null,
  phone: null,
  phone_confirmed_at: null,
  phone_change: null,
  phone_change_sent_at: null,
  confirmed_at: null,
  reauthentication_sent_at: null,
  banned_until: null,
  is_sso_user: false,
  deleted_at: null,
  is_anonymous: false,
  identities: [],
  factors: [],
}
