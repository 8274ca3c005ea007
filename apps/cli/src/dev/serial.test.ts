import { setImmediate as tick } from 'node:timers/promises'

import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { createSerial } from './serial.ts'

it('never overlaps, and always runs after the last request', async () => {
  const steps = fc.array(fc.constantFrom('request', 'wait'), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      let requested = 0
      let seen = 0
      let running = 0
      const serial = createSerial(async () => {
        running += 1
        expect(running).toBe(1)
        seen = requested
        await tick()
        running -= 1
      })
      for (const step of steps) {
        if (step === 'wait') await tick()
        else {
          requested += 1
          serial.request()
        }
      }
      await serial.idle()
      expect(seen).toBe(requested)
    }),
  )
})
