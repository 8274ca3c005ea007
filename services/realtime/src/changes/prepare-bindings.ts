import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '@pando/core/caller'
import { PostgresUnavailable } from '@pando/postgres/errors'
import type { ChangeFanOut } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'
import type { Subscription } from './subscriber.ts'

/** An entry of a join's `postgres_changes`, as the answer repeats it. */
export type Entry = Readonly<Record<string, unknown>> & { readonly id: number }

export type Bindings = Subscription['bindings']

export type Preparing = {
  readonly entries: readonly Entry[]
  readonly caller: Caller
  /** Nobody waits for it any more. */
  readonly isOver: () => boolean
}

/** Not an option: who waits costs a question a second for each table, however many they are. */
const againMs = 1_000

/**
 * Checks what somebody wants to follow against the database; while Postgres is away, again and again. Rejects with
 * `SubscriptionRefused`, and with `PostgresUnavailable` when nobody waits for it any more.
 */
export async function prepareBindings(
  fanOut: Pick<ChangeFanOut, 'prepare'>,
  { entries, caller, isOver }: Preparing,
): Promise<Bindings> {
  const requests = entries.map((entry) => ({ id: entry.id, request: parseRequest(entry) }))
  for (;;) {
    try {
      return await Promise.all(
        requests.map(async ({ id, request }) => ({ id, prepared: await fanOut.prepare(request, caller) })),
      )
    } catch (error) {
      if (!(error instanceof PostgresUnavailable)) throw error
      await sleep(againMs, undefined, { ref: false })
      if (isOver()) throw error
    }
  }
}
