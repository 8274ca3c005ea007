import { expect, test } from 'vitest'
import { checkAsvs } from './asvs.ts'

const one = { id: '1.1.1', level: 1, says: 'something' } as const
const chapterOf = (requirement: object) => [{ title: 'A chapter', requirements: [{ ...one, ...requirement }] }]

test('a requirement without a test needs a reason', () => {
  expect(checkAsvs(chapterOf({}))).toEqual([expect.stringContaining('1.1.1 names no test')])
  expect(checkAsvs(chapterOf({ because: 'it does not apply' }))).toEqual([])
  expect(checkAsvs(chapterOf({ missing: 'not yet' }))).toEqual([])
})

test('a test that is named is there', () => {
  const here = 'tools/asvs.test.ts: a test that is named is there'
  expect(checkAsvs(chapterOf({ tests: [here] }))).toEqual([])
  for (const wrong of ['tools/asvs.test.ts: nothing of the kind', 'tools/gone.test.ts: gone', 'no file'])
    expect(checkAsvs(chapterOf({ tests: [wrong] }))).toEqual([expect.stringContaining(wrong)])
})

test('a file without requirements is a mistake', () => {
  expect(() => checkAsvs([])).toThrow('looked at nothing')
})
