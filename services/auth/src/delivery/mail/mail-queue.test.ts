import { expect, test } from 'vitest'
import type { DeliveryObservation } from '../observation.ts'
import { createMailQueue, type Letter } from './mail-queue.ts'

const letterTo = (to: string): Letter => ({
  kind: 'recovery',
  userId: 'a-user',
  write: () => ({ to, id: to, subject: 'Hello', html: '<p>Hello</p>', text: 'Hello' }),
})
const later = Object.assign(new Error('451 later'), { responseCode: 451 })
const unreachable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ESOCKET' })
const never = Object.assign(new Error('550 never'), { responseCode: 550 })

/** A queue over a server that answers with the next of `answers`, in a time that only sleeping moves. */
function queueOver(answers: readonly (Error | 'taken' | 'silent')[], limits: { waitingMax?: number } = {}) {
  const observed: DeliveryObservation[] = []
  const pauses: number[] = []
  let nowMs = 0
  let attempts = 0
  const queue = createMailQueue({
    server: {
      transmit: async () => {
        const answer = answers[Math.min(attempts, answers.length - 1)]
        attempts += 1
        if (answer === 'silent') return new Promise(() => undefined)
        if (answer !== 'taken') throw answer
      },
      verify: async () => undefined,
      close: () => undefined,
    },
    clock: { now: () => nowMs, monotonic: () => nowMs },
    sleep: async (ms) => {
      pauses.push(ms)
      nowMs += ms
    },
    observe: (observation) => observed.push(observation),
    waitingMax: limits.waitingMax ?? 10,
    patienceMs: 60_000,
    timeoutMs: 10_000,
  })
  return { queue, observed, pauses, attempts: () => attempts }
}

const names = (observed: readonly DeliveryObservation[]): string[] => observed.map(({ name }) => name)

test('a mail that the server does not take now is offered again, after longer and longer pauses', async () => {
  const { queue, observed, pauses } = queueOver([later, unreachable, later, 'taken'])
  queue.add(letterTo('ada@example.com'))
  await queue.drain()
  expect(pauses).toEqual([500, 1000, 2000])
  expect(names(observed)).toEqual(['mail_deferred', 'mail_deferred', 'mail_deferred', 'mail_sent'])
})

test('a final no is final', async () => {
  const { queue, observed, attempts } = queueOver([never])
  queue.add(letterTo('nobody@example.com'))
  await queue.drain()
  expect(attempts()).toBe(1)
  expect(observed).toEqual([{ name: 'mail_failed', kind: 'recovery', userId: 'a-user', error: never }])
})

test('a mail that cannot be written is not offered again', async () => {
  const { queue, observed } = queueOver(['taken'])
  queue.add({
    kind: 'recovery',
    userId: 'a-user',
    write: () => {
      throw new Error('no such language')
    },
  })
  await queue.drain()
  expect(names(observed)).toEqual(['mail_failed'])
})

test('patience ends', async () => {
  const { queue, observed, pauses } = queueOver([later])
  queue.add(letterTo('ada@example.com'))
  await queue.drain()
  expect(pauses.reduce((sum, ms) => sum + ms)).toBeLessThanOrEqual(60_000)
  expect(names(observed).at(-1)).toBe('mail_failed')
})

test('who waits for the word gets it at the first attempt', async () => {
  const { queue, attempts } = queueOver([later])
  await expect(queue.send(letterTo('ada@example.com'))).rejects.toBe(later)
  expect(attempts()).toBe(1)
})

test('the queue is bounded', () => {
  const { queue } = queueOver(['silent'], { waitingMax: 2 })
  queue.add(letterTo('a@example.com'))
  queue.add(letterTo('b@example.com'))
  expect(() => queue.add(letterTo('c@example.com'))).toThrow(expect.objectContaining({ status: 503 }))
})

test('mails that are still there at the end are counted', async () => {
  const { queue, observed } = queueOver(['silent'])
  queue.add(letterTo('a@example.com'))
  queue.add(letterTo('b@example.com'))
  await queue.close()
  expect(observed).toEqual([{ name: 'mails_dropped', count: 2 }])
})
