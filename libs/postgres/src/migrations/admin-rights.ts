import type { Client } from 'pg'
import { MigrationError } from './migration-error.ts'
import { quoteName } from '../quote.ts'

type Rights = {
  readonly user: string
  readonly database: string
  readonly isSuperuser: boolean
  readonly mayCreateRoles: boolean
  readonly isOwner: boolean
}

const selectRights = `
  select rolname::text as user, datname::text as database, rolsuper as "isSuperuser", rolcreaterole as "mayCreateRoles",
    pg_catalog.pg_has_role(datdba, 'usage') as "isOwner"
  from pg_catalog.pg_roles, pg_catalog.pg_database
  where rolname = current_user and datname = pg_catalog.current_database()`

/**
 * Throws `MigrationError` when the session's user may not install the conventions; it says what is missing and what to
 * run.
 */
export async function mustBeAdmin(client: Client): Promise<void> {
  const rights = await readRights(client)
  if (rights.isSuperuser || (rights.mayCreateRoles && rights.isOwner)) return
  const [user, database] = [quoteName(rights.user), quoteName(rights.database)]
  const missing = [
    { is: rights.mayCreateRoles, text: 'it may not create roles', run: `alter role ${user} createrole` },
    { is: rights.isOwner, text: 'it does not own the database', run: `alter database ${database} owner to ${user}` },
  ].filter(({ is }) => !is)
  throw new MigrationError(
    'missing_rights',
    `user ${user} may not prepare the database ${database}: ${missing.map(({ text }) => text).join(' and ')}. Connect as a ` +
      `superuser, or as one run: ${missing.map(({ run }) => run).join('; ')}`,
    [],
  )
}

/** The error for a user who may not see what the database was prepared with. */
export async function mayNotReadLedger(client: Client): Promise<MigrationError> {
  const rights = await readRights(client)
  const [user, database] = [quoteName(rights.user), quoteName(rights.database)]
  return new MigrationError(
    'missing_rights',
    `user ${user} may not see whether the database ${database} is prepared. Connect as the user who prepared it, or as that ` +
      `user run: grant select on pando.migrations to ${user}`,
    [],
  )
}

async function readRights(client: Client): Promise<Rights> {
  const [rights] = (await client.query<Rights>(selectRights)).rows
  if (rights === undefined) throw new Error('neither user nor database of this session is in the catalogue')
  return rights
}
