import type { Clock } from '@pando/core/clock'

export type AccessWatchDeps = {
  /** A text that is another one whenever somebody may see more or less. */
  readonly readAccess: () => Promise<string>
  readonly clock: Pick<Clock, 'monotonic'>
  /** How often it is asked while somebody follows; an answer holds for twice as long. 0 asks about each change. */
  readonly intervalMs: number
  /** What was known of who may see what is not to be used any more. */
  readonly onChanged: () => void
}

/**
 * Notices what changes who may see rows and leaves no trace in the log: memberships and attributes of roles, and all of
 * the rest where Postgres has no event triggers of ours.
 */
export type AccessWatch = {
  /** Undefined when what is known may be used for a change that has come just now; otherwise fulfils when it may. */
  confirm(): Promise<void> | undefined
  /** Somebody follows from now on: it is asked from time to time, so that changes seldom wait. */
  begin(): void
  /** Nobody does. */
  end(): void
}

type Asking = { readonly startMs: number; readonly answered: Promise<void> }

export function createAccessWatch({ readAccess, clock, intervalMs, onChanged }: AccessWatchDeps): AccessWatch {
  const holdsMs = 2 * intervalMs
  let known: string | undefined
  let knownMs = -Infinity
  let asking: Asking | undefined
  let timer: NodeJS.Timeout | undefined

  const ask = (): Asking => {
    const startMs = clock.monotonic()
    const read = async (): Promise<void> => {
      const found = await readAccess()
      if (found !== known) onChanged()
      known = found
      knownMs = startMs
    }
    const answered = read().finally(() => void (asking = undefined))
    return (asking = { startMs, answered })
  }
  /** An answer to what was asked too long before tells nothing. */
  const untilConfirmed = async (nowMs: number): Promise<void> => {
    for (;;) {
      const { startMs, answered } = asking ?? ask()
      await answered
      if (startMs + holdsMs >= nowMs) return
    }
  }
  const look = (): void => {
    // Who needs the answer and does not get it hears of it by `confirm`.
    if (asking === undefined) ask().answered.catch(() => undefined)
  }
  return {
    confirm() {
      const nowMs = clock.monotonic()
      return knownMs + holdsMs > nowMs ? undefined : untilConfirmed(nowMs)
    },
    begin() {
      if (timer !== undefined || intervalMs === 0) return
      timer = setInterval(look, intervalMs).unref()
      look()
    },
    end() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
