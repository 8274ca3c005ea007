import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ChangesPort } from './deps.ts'
import { createPatientPort, TooEarly } from './patient-port.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a transaction that others never see is not waited for without an end', async () => {
  const mustSee = (): Promise<void> => Promise.reject(new TooEarly())
  const port = createPatientPort({ mustSee } as unknown as ChangesPort, () => {})
  const asked = port.mustSee(new Set([1])).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(11_000)
  expect(await asked).toBeInstanceOf(TooEarly)
})
