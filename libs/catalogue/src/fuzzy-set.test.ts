import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFuzzySet, editDistance } from './fuzzy-set.ts'

test('the member that takes the fewest edits is found', () => {
  const set = createFuzzySet(['projects', 'project_tasks', 'prospects', 'clients'])
  expect(set.find('projectx', 0.75)?.member).toBe('projects')
  expect(set.find('client', 0.75)?.member).toBe('clients')
})

test('what is too far from all members is not found', () => {
  expect(createFuzzySet(['projects', 'clients']).find('nothing', 0.75)).toBeUndefined()
  expect(createFuzzySet([]).find('anything', 0)).toBeUndefined()
})

test('a member is its own best match, whatever its case', () => {
  expect(createFuzzySet(['Films', 'filmsets']).find('films', 0.75)).toEqual({ member: 'Films', similarity: 1 })
})

test('names of one or two letters are compared as well', () => {
  expect(createFuzzySet(['ab', 'xy']).find('a', 0.3)?.member).toBe('ab')
})

test('what is found is a member that is at least as similar as asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string()),
      fc.string(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (members, text, min) => {
        const found = createFuzzySet(members).find(text, min)
        if (found === undefined) return
        expect(members).toContain(found.member)
        expect(found.similarity).toBeGreaterThanOrEqual(min)
      },
    ),
  )
})

test('the edit distance is a metric', () => {
  const word = fc.string({ maxLength: 8 })
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a))
      expect(editDistance(a, b) === 0).toBe(a === b)
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
    }),
  )
})
