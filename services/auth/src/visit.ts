import type { Caller } from '@pando/core/caller'
import type { IncomingHttpHeaders } from 'node:http'
import type { SessionRow } from './store/sessions.ts'
import type { UserRow } from './store/users.ts'

/** One request: who comes, from where, and what the address says. */
export type Visit = {
  readonly caller: Caller
  /** The client's IP address, through trusted proxies only. */
  readonly address: string
  readonly userAgent: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

const adminRoles: ReadonlySet<string> = new Set(['service_role', 'supabase_admin'])

export const isAdmin = ({ caller }: Pick<Visit, 'caller'>): boolean => adminRoles.has(caller.role)

/** A visit with a user's token whose user and session are still there. */
export type SignedInVisit = Visit & { readonly user: UserRow; readonly session: SessionRow | undefined }
