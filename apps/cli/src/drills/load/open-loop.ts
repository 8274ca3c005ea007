import { setTimeout as sleep } from 'node:timers/promises'

import type { Answer } from './http-client.ts'
import { gapMs } from './random.ts'

/** What became of a request. Times are milliseconds since the load began. */
export type Sent = {
  readonly kind: string
  /** When it was to be sent: latency counts from here, so that a stall of the generator is not hidden. */
  readonly dueMs: number
  /** How much later it was sent. */
  readonly lateMs: number
  readonly latencyMs: number
  /** 2xx, 503 or 429 with `Retry-After`, and anything else. */
  readonly outcome: 'answered' | 'refused' | 'failed'
  /** Of those that were not answered. */
  readonly why?: string
}

export type Kind = {
  readonly kind: string
  /** Its share of all requests, against the weights of the others. */
  readonly weight: number
  readonly send: () => Promise<Answer>
}

/** Requests that come on a schedule, whatever becomes of those before. */
export type Load = {
  readonly sent: readonly Sent[]
  nowMs(): number
  /** From now on. */
  setRate(perSecond: number): void
  /** No more; returns when all have been answered. */
  stop(): Promise<readonly Sent[]>
}

const tickMs = 1

/** Begins at once. The same `random` makes the same requests in the same order. */
export function startLoad(kinds: readonly Kind[], perSecond: number, random: () => number): Load {
  const startMs = performance.now()
  const nowMs = (): number => performance.now() - startMs
  const sent: Sent[] = []
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let rate = perSecond
  let dueMs = gapMs(rate, random)

  const send = async ({ kind, send: ask }: Kind, due: number): Promise<void> => {
    const lateMs = nowMs() - due
    const { outcome, why } = toOutcome(await ask())
    sent.push({ kind, dueMs: due, lateMs, latencyMs: nowMs() - due, outcome, ...(why !== undefined && { why }) })
  }
  const sendDue = (): void => {
    for (; dueMs <= nowMs(); dueMs += gapMs(rate, random)) {
      const one = send(choose(kinds, random), dueMs)
      running.add(one)
      void one.finally(() => running.delete(one))
    }
  }
  const keepSending = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      sendDue()
      await sleep(tickMs)
    }
    await Promise.all(running)
  }
  const ended = keepSending()
  return {
    sent,
    nowMs,
    setRate(next) {
      rate = next
      dueMs = nowMs() + gapMs(rate, random)
    },
    async stop() {
      stopping.abort()
      await ended
      return sent.sort((one, other) => one.dueMs - other.dueMs)
    },
  }
}

/** What an answer is to whoever asked. */
export function toOutcome({ status, retryAfter, text }: Answer): Pick<Sent, 'outcome' | 'why'> {
  if (status >= 200 && status < 300) return { outcome: 'answered' }
  const why = status === 0 ? text : `${status} ${text.slice(0, whyMax)}`
  return { outcome: (status === 503 || status === 429) && retryAfter ? 'refused' : 'failed', why }
}

const whyMax = 120

/** One of them at random, by their weights. */
export function choose(kinds: readonly Kind[], random: () => number): Kind {
  let at = random() * kinds.reduce((sum, { weight }) => sum + weight, 0)
  return kinds.find(({ weight }) => (at -= weight) < 0) ?? kinds.at(-1)!
}
