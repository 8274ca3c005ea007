import { describe, expect, it } from 'vitest'
import { allowedPreferences, parsePreferences } from './parse-preferences.ts'

describe('Prefer', () => {
  it.each([
    [undefined, { invalid: [] }],
    ['return=representation', { return: 'representation', invalid: [] }],
    [
      'count=exact,    tx=commit   ,return=minimal , missing=default, handling=strict, anything',
      {
        count: 'exact',
        transaction: 'commit',
        return: 'minimal',
        missing: 'default',
        handling: 'strict',
        invalid: ['anything'],
      },
    ],
    ['tx=commit, tx=rollback', { transaction: 'commit', invalid: [] }],
    ['resolution=merge-duplicates,resolution=other', { resolution: 'merge-duplicates', invalid: ['resolution=other'] }],
    [
      'max-affected=5999, timezone=America/Los_Angeles',
      { maxAffected: 5999, timezone: 'America/Los_Angeles', invalid: [] },
    ],
    ['max-affected=many', { invalid: [] }],
    ['__proto__=x', { invalid: ['__proto__=x'] }],
  ])('%s', (header, preferences) => {
    expect(parsePreferences(header)).toEqual(preferences)
  })

  it('counts a transaction end only when it may be overridden, and an unknown time zone as invalid', () => {
    const preferences = parsePreferences('tx=rollback, timezone=Jupiter/Red_Spot, foo')
    const timezones = new Set(['Europe/Berlin'])
    expect(allowedPreferences(preferences, { timezones, allowsTransaction: false })).toEqual({
      invalid: ['foo', 'timezone=Jupiter/Red_Spot'],
    })
    const known = parsePreferences('tx=rollback, timezone=europe/berlin')
    expect(allowedPreferences(known, { timezones, allowsTransaction: true })).toEqual({
      transaction: 'rollback',
      timezone: 'europe/berlin',
      invalid: [],
    })
  })
})
