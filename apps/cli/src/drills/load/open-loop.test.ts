import { seededRandom } from '@pando/core/testing/seeded-random'
import { describe, expect, it } from 'vitest'

import type { Answer } from './http-client.ts'
import { startLoad } from './open-loop.ts'
import { gapMs } from './random.ts'

const answer = (status: number, more: Partial<Answer> = {}): Answer => ({
  status,
  retryAfter: false,
  text: '',
  ...more,
})

describe('startLoad', () => {
  it('sends the same kinds in the same order for the same seed, whatever becomes of those before', async () => {
    const run = async (): Promise<string[]> => {
      const order: string[] = []
      const never = Promise.withResolvers<Answer>()
      const kinds = ['read', 'write'].map((kind, at) => ({
        kind,
        weight: at + 1,
        send: () => {
          order.push(kind)
          if (order.length >= 100) never.resolve(answer(200))
          return never.promise
        },
      }))
      const load = startLoad(kinds, 2_000, seededRandom(7))
      await never.promise
      await load.stop()
      return order.slice(0, 100)
    }
    const first = await run()
    expect(await run()).toEqual(first)
    expect(new Set(first)).toEqual(new Set(['read', 'write']))
  })

  it('tells what was answered, told to come back, and failed', async () => {
    const answers = [
      answer(201),
      answer(503, { retryAfter: true, text: 'busy' }),
      answer(503, { text: 'down' }),
      answer(0, { text: 'socket hang up' }),
    ]
    const done = Promise.withResolvers<void>()
    let count = 0
    const send = (): Promise<Answer> => {
      if (count + 1 >= answers.length) done.resolve()
      return Promise.resolve(answers[(count += 1) - 1] ?? answer(200))
    }
    const load = startLoad([{ kind: 'read', weight: 1, send }], 500, seededRandom(1))
    await done.promise
    const sent = await load.stop()
    expect(sent.slice(0, 4).map(({ outcome, why }) => [outcome, why])).toEqual([
      ['answered', undefined],
      ['refused', '503 busy'],
      ['failed', '503 down'],
      ['failed', 'socket hang up'],
    ])
  })
})

describe('gapMs', () => {
  it('lets so many come in a second as were asked for, on average', () => {
    const random = seededRandom(3)
    const gaps = Array.from({ length: 100_000 }, () => gapMs(200, random))
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeCloseTo(5, 1)
  })
})
