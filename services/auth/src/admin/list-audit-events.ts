import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { type AuditFilter, countAuditEvents, listAuditEvents } from '../store/audit-log.ts'
import type { Visit } from '../visit.ts'
import { toPage, toPageHeaders } from './page.ts'

/** `GET /admin/audit?query=author:…|action:…|type:…`: what was done to accounts, newest first. */
export async function listAuditEventsAsAdmin(deps: AuthDeps, visit: Visit): Promise<Answer> {
  const page = toPage(visit)
  const filter = toFilter(visit.query['query'] ?? '')
  const total = await countAuditEvents(deps.database, filter)
  const events = await listAuditEvents(deps.database, filter, page)
  return { status: 200, body: events, headers: toPageHeaders(deps, '/admin/audit', { page, total }) }
}

function toFilter(query: string): AuditFilter | undefined {
  if (query === '') return undefined
  const [, scope, text] = /^(author|action|type):(.*)$/s.exec(query) ?? []
  if (scope === undefined || text === undefined)
    throw errors.invalid(`Invalid query scope: ${query.slice(0, 200)}; write author:…, action:… or type:…`)
  return { scope: scope as AuditFilter['scope'], text }
}
