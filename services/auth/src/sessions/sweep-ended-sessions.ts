import type { Queries } from '@pando/postgres/database'
import { deleteOldEndedSessions } from '../store/ended-sessions.ts'

export type SweepDeps = {
  /** As `supabase_auth_admin`. */
  readonly database: Queries
  /** How long after the end of a session an access token of it may be taken for good. */
  readonly tokenMsMax: number
  readonly onFailed: (error: unknown) => void
}

const intervalMs = 600_000
const rowsMax = 10_000
/** A session ends when its transaction commits, later than the line says; and a token may be signed at that moment. */
const marginMs = 600_000

/** Removes lines of ended sessions whose last access token has expired, now and then. */
export function createSweep({ database, tokenMsMax, onFailed }: SweepDeps) {
  let timer: NodeJS.Timeout | undefined

  async function sweep(): Promise<void> {
    const old = { olderThanMs: tokenMsMax + marginMs, rowsMax }
    while ((await deleteOldEndedSessions(database, old)) === rowsMax);
  }

  return {
    sweep,
    start(): void {
      timer = setInterval(() => void sweep().catch(onFailed), intervalMs).unref()
    },
    stop(): void {
      clearInterval(timer)
    },
  }
}
