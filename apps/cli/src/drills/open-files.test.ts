import { expect, it } from 'vitest'

import { mustAllowFiles } from './open-files.ts'

it('says how many files a process may have open when that is too few', () => {
  expect(() => mustAllowFiles(10)).not.toThrow()
  // Where there is no limit nothing is refused.
  if (process.platform !== 'linux') return
  expect(() => mustAllowFiles(2 ** 40)).toThrow(
    /^A process may have \d+ files open, and the gateway of this drill needs/,
  )
})
