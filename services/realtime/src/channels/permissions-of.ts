import type { Database } from '@pando/postgres/database'
import type { Identity } from '../deps.ts'
import { findPermissions } from '../private/find-permissions.ts'
import type { Permissions } from '../private/permissions.ts'
import { JoinRejection } from './join-rejection.ts'
import type { TopicName } from './topics.ts'

/**
 * What the policies of a private channel allow somebody, and undefined in a public one. Rejects when they may neither hear it
 * nor see who is there.
 */
export async function permissionsOf(
  database: Database,
  { name, isPrivate }: TopicName,
  { caller }: Identity,
): Promise<Permissions | undefined> {
  if (!isPrivate) return undefined
  const permissions = await findPermissions(database, caller, name)
  if (permissions.broadcast.read || permissions.presence.read) return permissions
  throw new JoinRejection('Unauthorized', `You do not have permissions to read from this Channel topic: ${name}`)
}
