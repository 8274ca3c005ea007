import { expect, it } from 'vitest'

import { findCapacity } from './closed-loop.ts'
import type { Answer } from './http-client.ts'

const loop = { callers: 4, seconds: 0.2, random: Math.random, stopped: new AbortController().signal }
const answering = (status: number) => ({
  kind: 'read',
  weight: 1,
  send: async (): Promise<Answer> => {
    await new Promise(setImmediate)
    return { status, retryAfter: false, text: '' }
  },
})

it('counts what is answered alone, and is never nothing', async () => {
  expect(await findCapacity([answering(200)], loop)).toBeGreaterThan(1)
  expect(await findCapacity([answering(503)], loop)).toBe(1)
})
