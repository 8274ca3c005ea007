import type { AuthDeps } from './deps.ts'
import { errors } from './errors.ts'
import type { Answer } from './route.ts'
import { insertAuditEvent } from './store/audit-log.ts'
import { deleteSessions, type Ending } from './store/sessions.ts'
import type { SignedInVisit } from './visit.ts'

/** `POST /logout?scope=global|local|others`: ends sessions here, elsewhere or everywhere. */
export async function signOut(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  const ending = toEnding(visit)
  await deps.database.transaction(async (tx) => {
    await deleteSessions(tx, ending)
    await insertAuditEvent(tx, { action: 'logout', actor: visit.user, address: visit.address })
  })
  return { status: 204 }
}

function toEnding({ query, user, session }: SignedInVisit): Ending {
  const scope = query['scope'] || 'global'
  if (scope === 'global' || (session === undefined && scope !== 'others')) return { userId: user.id }
  if (scope === 'local') return { only: session!.id }
  if (scope === 'others') return { userId: user.id, except: session?.id }
  throw errors.invalid(`Unsupported logout scope ${JSON.stringify(scope)}`)
}
