import { expect, test } from 'vitest'
import { contentRange, pageStatus } from './content-range.ts'

test.each([
  [0, 9, undefined, '0-9/*'],
  [0, 9, 100, '0-9/100'],
  [0, -1, undefined, '*/*'],
  [0, -1, 0, '*/0'],
  [5, 4, 12, '*/12'],
])('rows %i to %i of %s are written %s', (first, last, total, expected) => {
  expect(contentRange(first, last, total)).toBe(expected)
})

test.each([
  [0, 10, undefined, 200],
  [0, 10, 10, 200],
  [0, 10, 11, 206],
  [11, 0, 10, 416],
  [10, 0, 10, 206],
])('a page from %i with %i rows of %s answers %i', (first, rows, total, expected) => {
  expect(pageStatus(first, rows, total)).toBe(expected)
})
