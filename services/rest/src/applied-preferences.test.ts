import { expect, test } from 'vitest'
import { appliedPreferences } from './applied-preferences.ts'

const all = { resolution: true, return: true, missing: true, maxAffected: true }

test('nothing asked, nothing confirmed', () => {
  expect(appliedPreferences({ invalid: [] }, all)).toBeUndefined()
})

test('what was asked and applies is confirmed in the order of the wire', () => {
  const asked = {
    return: 'representation',
    resolution: 'merge-duplicates',
    missing: 'default',
    count: 'exact',
    transaction: 'rollback',
    handling: 'strict',
    timezone: 'UTC',
    maxAffected: 3,
    invalid: [],
  } as const
  expect(appliedPreferences(asked, all)).toBe(
    'resolution=merge-duplicates, missing=default, return=representation, count=exact, tx=rollback, handling=strict, timezone=UTC, max-affected=3',
  )
  expect(
    appliedPreferences(asked, { ...all, resolution: false, return: false, missing: false, maxAffected: false }),
  ).toBe('count=exact, tx=rollback, handling=strict, timezone=UTC')
})

test('max-affected counts only with handling=strict', () => {
  expect(appliedPreferences({ maxAffected: 3, invalid: [] }, all)).toBeUndefined()
})
