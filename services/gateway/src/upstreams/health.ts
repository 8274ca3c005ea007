import type { Clock } from '@pando/core/clock'

/**
 * What is known of an address: `up`; `unready`, it answers and says that it takes no work; `ejected`, its answers were
 * faults; `silent`, it says nothing; `down`, nobody can connect.
 */
export type State = 'up' | 'unready' | 'ejected' | 'silent' | 'down'

export type HealthLimits = {
  /** So many faults in a row, and the address gets no requests for a time. */
  readonly failuresMax: number
  /** For how long the first time; each time in a row doubles it. */
  readonly ejectionMs: number
  readonly ejectionMsMax: number
}

export type Health = {
  state(): State
  /** A request was answered; `isFault` when the answer says that the node failed. */
  answered(isFault: boolean): void
  /** No connection could be made. */
  unreachable(): void
  /** The connection broke before the answer. */
  broken(): void
  /** By what its `/health/ready` said, or that it said nothing. */
  probed(is: Exclude<State, 'ejected'>): void
}

/** Keeps account of one address: by the answers to requests (passive) and to probes (active). */
export function createHealth(limits: HealthLimits, clock: Pick<Clock, 'monotonic'>): Health {
  let heard: Exclude<State, 'ejected'> = 'up'
  let failures = 0
  let ejections = 0
  let ejectedUntilMs = Number.NEGATIVE_INFINITY

  function fail(): void {
    failures += 1
    const now = clock.monotonic()
    if (failures < limits.failuresMax || now < ejectedUntilMs) return
    failures = 0
    // Who has been well for the longest time that anyone stays away begins anew.
    ejections = now - ejectedUntilMs > limits.ejectionMsMax ? 1 : ejections + 1
    ejectedUntilMs = now + Math.min(limits.ejectionMsMax, limits.ejectionMs * 2 ** (ejections - 1))
  }

  return {
    state() {
      if (heard !== 'up') return heard
      return ejectedUntilMs > clock.monotonic() ? 'ejected' : 'up'
    },
    answered(isFault) {
      if (isFault) return fail()
      failures = 0
    },
    unreachable() {
      heard = 'down'
    },
    broken: fail,
    probed(is) {
      heard = is
    },
  }
}
