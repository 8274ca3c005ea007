import type { Queries } from '@pando/postgres/database'
import type { SessionRow } from './sessions.ts'

/** What a person gets to know of one of their sessions. */
export type OwnSession = Pick<SessionRow, 'id' | 'created_at' | 'refreshed_at' | 'not_after' | 'aal' | 'amr'> & {
  readonly user_agent: string | null
  /** Where it was refreshed last. */
  readonly ip: string | null
}

/** Those that were used last, at most `rowsMax`; some may have expired. */
export function listOwnSessions(queries: Queries, userId: string, rowsMax: number): Promise<OwnSession[]> {
  return queries.query<OwnSession>(
    `select s.id, s.created_at, s.refreshed_at at time zone 'UTC' as refreshed_at, s.not_after, s.aal, s.user_agent,
      host(s.ip) as ip, coalesce((
        select json_agg(json_build_object(
          'method', a.authentication_method, 'timestamp', extract(epoch from a.updated_at)::bigint
        ) order by a.updated_at desc)
        from auth.mfa_amr_claims a where a.session_id = s.id), '[]') as amr
    from auth.sessions s where s.user_id = $1
    order by coalesce(s.refreshed_at at time zone 'UTC', s.created_at) desc nulls last, s.id limit $2`,
    [userId, rowsMax],
  )
}

/** Whether there was such a session of that user. */
export async function deleteOwnSession(
  queries: Queries,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<boolean> {
  const text = 'delete from auth.sessions where id = $1 and user_id = $2 returning id'
  return (await queries.query(text, [id, userId])).length === 1
}
