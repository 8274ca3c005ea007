import type { Clock } from '@pando/core/clock'
import { isGoneOnFrom } from '../forerunner.ts'
import type { Log, ResetPlace } from '../log.ts'
import type { Observe } from '../observation.ts'
import type { Reset, Stretch, TooOld } from './log-message.ts'
import type { Send } from './telling.ts'

export type FollowingDeps = {
  readonly nodeId: string
  readonly log: Log
  readonly clock: Clock
  readonly observe: Observe
  readonly send: Send
  /** The log is followed, from now on. */
  readonly onFollowing: () => void
}

/** What a process makes of what the one that reads the log tells. */
export type Following = {
  take(message: Stretch | Reset | TooOld): void
  /** Asks for what is missing, unless an answer may still come. */
  ask(): void
  /** Asks again although an answer may still come: it may have been lost. */
  askAnew(): void
  /** Something is missing that was asked for. */
  readonly isAsking: boolean
  /** A reset is applied that came from another process. */
  readonly isResetting: boolean
  readonly heardAtMs: number
}

/** After this an answer is asked for again. Not an option: an answer that comes late is taken as well. */
const answerMs = 1000

export function createFollowing({ nodeId, log, clock, observe, send, onFollowing }: FollowingDeps): Following {
  let askedAtMs = -Infinity
  let heardAtMs = -Infinity
  let isResetting = false

  const reset = (reason: string, at?: ResetPlace): void => {
    isResetting = true
    log.reset(reason, at)
    isResetting = false
  }
  const ask = (): void => {
    const nowMs = clock.monotonic()
    if (nowMs - askedAtMs < answerMs) return
    askedAtMs = nowMs
    const since = log.hasBegun ? log.window.reachedLsn : undefined
    observe({ kind: 'relay.asked', isNew: since === undefined })
    send({ is: 'ask', node: nodeId, server: log.hasBegun ? log.server : undefined, since })
  }
  const askAnew = (): void => {
    askedAtMs = -Infinity
    ask()
  }
  /** Whether the server was promoted, and has everything that is known here. */
  const goesOn = (message: Stretch | Reset): boolean => {
    const forerunner = message.is === 'stretch' ? message.forerunner : undefined
    if (forerunner === undefined || !isGoneOnFrom(forerunner, log.server, log.window.reachedLsn)) return false
    log.server = message.server
    return true
  }
  const takeStretch = (stretch: Stretch): void => {
    const { from, to, floor, transactions } = stretch
    if (!log.hasBegun) {
      if (floor === undefined) return ask()
      log.server = stretch.server
      log.begin(from, floor)
    } else if (from > log.window.reachedLsn) return ask()
    log.readFrom(stretch.publications ?? [])
    for (const { transaction, endLsn } of transactions) log.append(transaction, endLsn)
    log.reach(to)
    // Nothing before it is missing.
    askedAtMs = -Infinity
    if (stretch.hasMore) ask()
    else onFollowing()
  }
  const takeReset = ({ from, to, reason, relations }: Reset): void => {
    if (to === undefined) return reset(reason)
    if (!log.hasBegun || from > log.window.reachedLsn) return ask()
    const { reachedLsn } = log.window
    reset(reason, { lsn: to > reachedLsn ? to : reachedLsn, relations })
  }
  const takeTooOld = (): void => {
    if (log.hasBegun) reset('more was missed of what another process reads than it keeps')
    askAnew()
  }
  return {
    take: (message) => {
      heardAtMs = clock.monotonic()
      if (message.is === 'too_old') return takeTooOld()
      if (log.hasBegun && message.server !== log.server && !goesOn(message)) {
        reset('this is another server, or it was restored, or another took over')
      }
      if (message.is === 'reset') takeReset(message)
      else takeStretch(message)
    },
    ask,
    askAnew,
    get isAsking() {
      return askedAtMs > -Infinity
    },
    get isResetting() {
      return isResetting
    },
    get heardAtMs() {
      return heardAtMs
    },
  }
}
