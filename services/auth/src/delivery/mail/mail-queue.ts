import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '@pando/core/clock'
import { errors } from '../../errors.ts'
import type { DeliveryObservation } from '../observation.ts'
import type { MailServer, OutgoingMail } from './smtp.ts'

/** A mail that is not written yet. Writing takes a moment that the request need not wait for. */
export type Letter = { readonly kind: string; readonly userId: string; readonly write: () => OutgoingMail }

/** Mails that are on their way. */
export type MailQueue = {
  /** @throws when too many wait */
  readonly mustHaveRoom: () => void
  /** Returns at once; the mail is offered again for as long as the patience lasts. @throws when too many wait */
  readonly add: (letter: Letter) => void
  /** Offers the mail once and resolves when the server has taken it; gives up after `timeoutMs`. */
  readonly send: (letter: Letter) => Promise<void>
  /** Resolves when nothing waits any more. */
  readonly drain: () => Promise<void>
  /** Gives what is on its way a moment; what waits after it is given up, and counted. */
  readonly close: () => Promise<void>
}

type MailQueueDeps = {
  readonly server: MailServer
  readonly clock: Clock
  /** Rejects when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly observe: (observation: DeliveryObservation) => void
  readonly waitingMax: number
  readonly patienceMs: number
  readonly timeoutMs: number
}

const firstPauseMs = 500
const pauseMsMax = 15_000
const closeGraceMs = 2_000

/**
 * The queue is in memory, and holds a mail for well under a second while the mail server answers. It ends empty when
 * the process ends gently. A process that is killed loses what it holds, for good reason: a mail carries a secret that
 * no table may know, and is good for minutes only; who misses it asks for another.
 */
export function createMailQueue(deps: MailQueueDeps): MailQueue {
  const { server, observe, sleep, waitingMax, timeoutMs } = deps
  const waiting = new Map<Letter, Promise<void>>()
  const closing = new AbortController()
  const report = ({ kind, userId }: Letter, name: 'mail_sent' | 'mail_failed', error?: unknown): void => {
    if (!closing.signal.aborted) observe({ name, kind, userId, error })
  }
  const track = async (letter: Letter, sending: Promise<void>): Promise<void> => {
    waiting.set(letter, sending)
    try {
      await sending
      report(letter, 'mail_sent')
    } catch (error) {
      report(letter, 'mail_failed', error)
      throw error
    } finally {
      waiting.delete(letter)
    }
  }
  const mustHaveRoom = (): void => {
    if (waiting.size >= waitingMax) throw errors.tooManyMails()
  }
  const drain = async (): Promise<void> => void (await Promise.allSettled(waiting.values()))
  return {
    mustHaveRoom,
    add(letter) {
      mustHaveRoom()
      void track(letter, offer(deps, letter, closing.signal)).catch(() => undefined)
    },
    send: async (letter) => {
      mustHaveRoom()
      await track(letter, server.transmit(letter.write(), AbortSignal.timeout(timeoutMs)))
    },
    drain,
    async close() {
      if (waiting.size > 0) await Promise.race([drain(), sleep(closeGraceMs, closing.signal)])
      closing.abort()
      if (waiting.size > 0) observe({ name: 'mails_dropped', count: waiting.size })
      server.close()
    },
  }
}

/** Again and again, with pauses that double, until it is taken, refused for good, or the patience is over. */
async function offer(deps: MailQueueDeps, { kind, userId, write }: Letter, signal: AbortSignal): Promise<void> {
  const { server, clock, sleep, observe, patienceMs } = deps
  await nextTurn()
  const mail = write()
  const startedAt = clock.monotonic()
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    try {
      return await server.transmit(mail)
    } catch (error) {
      const isLate = clock.monotonic() - startedAt + pauseMs > patienceMs
      if (isFinal(error) || isLate || signal.aborted) throw error
      observe({ name: 'mail_deferred', kind, userId, error })
      await sleep(pauseMs, signal)
    }
  }
}

/** nodemailer's names for a connection that may work again. */
const passing: ReadonlySet<unknown> = new Set(['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'ETLS', 'EPROTOCOL'])

/** RFC 5321 §4.2.1: 4xx means "later" and 5xx "never". */
function isFinal(error: unknown): boolean {
  const { responseCode, code } = error as { responseCode?: number; code?: string }
  return responseCode === undefined ? !passing.has(code) : responseCode >= 500
}
