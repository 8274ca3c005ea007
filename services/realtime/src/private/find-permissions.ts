import type { Caller } from '@pando/core/caller'
import type { Database } from '@pando/postgres/database'
import type { Permissions } from './permissions.ts'

/** Asks the policies of `realtime.messages` what somebody may do in a topic. Rejects as the database does, also with a policy's own error. */
export async function findPermissions(database: Database, caller: Caller, topic: string): Promise<Permissions> {
  const text = 'select realtime.permissions($1, $2, $3) as allowed'
  const rows = await database.query<{ allowed: Permissions }>(text, [topic, caller.role, caller.claimsJson])
  return rows[0]!.allowed
}
