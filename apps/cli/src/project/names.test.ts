import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Failure } from '../failure.ts'
import { toMigrationFileName } from './migration-name.ts'

const now = new Date('2026-01-31T09:45:00.123Z')

describe('toMigrationFileName', () => {
  it.each([
    ['add trips', '20260131094500_add_trips.sql'],
    ['  Add-Trips_and  posts ', '20260131094500_add_trips_and_posts.sql'],
    ['add_trips.sql', '20260131094500_add_trips.sql'],
    ['übersicht', '20260131094500_übersicht.sql'],
  ])('names "%s" %s', (name, file) => {
    expect(toMigrationFileName(name, now)).toBe(file)
  })

  it.each(['', '  ', '../evil', 'a/b', 'a;b', 'x'.repeat(101)])('refuses "%s"', (name) => {
    expect(() => toMigrationFileName(name, now)).toThrow(Failure)
  })

  it('never names a file outside of the folder', () => {
    const nameOrRefusal = (name: string) => {
      try {
        return toMigrationFileName(name, now)
      } catch (error) {
        return error
      }
    }
    fc.assert(
      fc.property(fc.string(), (name) => {
        const outcome = nameOrRefusal(name)
        expect(outcome instanceof Failure || /^\d{14}_[^/\\.]+\.sql$/.test(String(outcome))).toBe(true)
      }),
    )
  })
})
