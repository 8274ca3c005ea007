import { expect, test } from 'vitest'
import { findLookedAway } from './count-looked-at.ts'

test('a check that looked at nothing, or at too little, is a complaint', () => {
  expect(findLookedAway('Finished in 1.2s on 100000 files with 161 rules using 2 threads.')).toEqual([])
  expect(findLookedAway('Finished in 29ms on 0 files with 161 rules using 2 threads.')[0]).toContain(
    'looked at 0 files',
  )
  expect(findLookedAway('')).toHaveLength(1)
})

test('one that looks at some folders alone must have looked at all files of those', () => {
  expect(findLookedAway('Finished on 3 files', /^tools\/.*\.ts$/)[0]).toContain('looked at 3 files')
  expect(findLookedAway('Finished on 3 files', /^tools\/check\.ts$/)).toEqual([])
})
