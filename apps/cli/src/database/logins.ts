import { loginUrl, setPassword } from '@pando/postgres/login'
import { lockPurposes, lockSpace } from '@pando/postgres/migrations/session'

import type { ProjectKind } from '../project/find-project.ts'
import { withQueries } from './connect.ts'

/** The ways into one database. Of a server that the user named, all are the URL they gave. */
export type Logins = {
  /** As the superuser of the embedded server: installs conventions, recreates the database. */
  readonly adminUrl: string
  /** As `postgres`, who owns what migrations create. */
  readonly url: string
  /** The same over TCP, for people and their tools. */
  readonly publicUrl: string
}

/** Whom migrations, people and their tools log in as: what they may do here, they may do on a managed server. */
const ownerRole = 'postgres'

/**
 * Scripts of existing projects log in as `postgres` with this password. It opens no door that the well-known service
 * key of the same projects, on the same loopback address, does not open.
 */
const wellKnownPassword = 'postgres'

/** The logins of an embedded server; `tcpUrl` is the superuser's URL over TCP, where the server listens there. */
export function toLogins(kind: ProjectKind, { adminUrl, tcpUrl }: { adminUrl: string; tcpUrl?: string }): Logins {
  const asOwner = { role: ownerRole, ...(kind === 'supabase' ? { password: wellKnownPassword } : {}) }
  return { adminUrl, url: loginUrl(adminUrl, asOwner), publicUrl: loginUrl(tcpUrl ?? adminUrl, asOwner) }
}

/** Whom the API logs in as: for requests, for accounts, for channels, for the log of changes. */
const apiRoles = ['authenticator', 'supabase_auth_admin', 'supabase_realtime_admin', 'supabase_replication_admin']

const listWithoutPassword = `
  select rolname::text as name
  from pg_catalog.pg_authid
  where rolname = any ($1) and rolpassword is null`

/**
 * Gives roles that log in a password, where they have none: those that the API works as, the admin's; and the owner
 * that of its login. Where the admin may not see passwords, only roles that are new have surely none.
 */
export async function ensurePasswords(logins: Logins, { rolesAreNew }: { rolesAreNew: boolean }): Promise<void> {
  const adminPassword = passwordOf(logins.adminUrl)
  const passwords = new Map([
    ...apiRoles.map((role) => [role, adminPassword] as const),
    [ownerRole, passwordOf(logins.url)],
  ])
  if (adminPassword === '') return
  await withQueries(logins.adminUrl, async (queries) => {
    const [{ may } = { may: false }] = await queries.query<{ may: boolean }>(maySeePasswords)
    const listDue = async (): Promise<readonly string[]> => {
      if (!may) return rolesAreNew ? apiRoles : []
      const rows = await queries.query<{ name: string }>(listWithoutPassword, [[...passwords.keys()]])
      return rows.map(({ name }) => name)
    }
    if ((await listDue()).length === 0) return
    // Other nodes may be at it too, and PostgreSQL refuses two writers of one role.
    await (may ? queries.query(lockRoles) : queries.query(lockNodes, [lockSpace, lockPurposes.system]))
    for (const name of await listDue()) await setPassword(queries, name, passwords.get(name) ?? adminPassword)
  })
}

/** Also against nodes on other databases of the server; only a superuser can. */
const lockRoles = 'lock table pg_catalog.pg_authid in share row exclusive mode'
const lockNodes = 'select pg_catalog.pg_advisory_xact_lock($1, $2)'

const maySeePasswords = `select has_table_privilege('pg_catalog.pg_authid', 'select') as may`

const passwordOf = (url: string): string => decodeURIComponent(new URL(url).password)
