import fc from 'fast-check'
import { expect, test } from 'vitest'
import { excerptAt, offsetOfPosition } from './excerpt.ts'

const at = (text: string, mark: string) => excerptAt(text, text.indexOf(mark))

test('a place in the middle of a file', () => {
  expect(at('select 1;\nselect x from t;\n', 'x')).toEqual({
    line: 2,
    column: 8,
    source: 'select x from t;',
    caret: '       ^',
  })
})

test('tabs stay tabs, so the caret is right at every tab width', () => {
  expect(at('\tselect\tx', 'x')).toEqual({ line: 1, column: 9, source: '\tselect\tx', caret: '\t      \t^' })
})

test('characters of several bytes, units or code points count as people see them', () => {
  expect(at(`select 'été 𝄞' x`, 'x')).toMatchObject({ column: 16, caret: `${' '.repeat(15)}^` })
  expect(at(`select '日本' x`, 'x')).toMatchObject({ column: 13, caret: `${' '.repeat(14)}^` })
  expect(at(`select '👩‍👩‍👧' x`, 'x')).toMatchObject({ column: 16, caret: `${' '.repeat(12)}^` })
  expect(at(`select 'e\u0301' x`, 'x')).toMatchObject({ column: 13, caret: `${' '.repeat(11)}^` })
})

test('CRLF, LF and CR end lines and are not part of them', () => {
  for (const end of ['\r\n', '\n', '\r']) {
    expect(at(`one${end}two x${end}three`, 'x')).toEqual({ line: 2, column: 5, source: 'two x', caret: '    ^' })
  }
  expect(excerptAt('one\r\ntwo', 4)).toMatchObject({ line: 1, column: 4, source: 'one' })
})

test('the end of a file, with and without a line end, and an empty one', () => {
  expect(excerptAt('one\ntwo', 7)).toEqual({ line: 2, column: 4, source: 'two', caret: '   ^' })
  expect(excerptAt('one\ntwo', 999)).toMatchObject({ line: 2, column: 4 })
  expect(excerptAt('one\n', 4)).toEqual({ line: 2, column: 1, source: '', caret: '^' })
  expect(excerptAt('', 0)).toEqual({ line: 1, column: 1, source: '', caret: '^' })
})

test('of a long line the part around the place is shown', () => {
  const text = `${'a'.repeat(1000)}X${'b'.repeat(1000)}`
  const { source, caret, column } = at(text, 'X')
  expect(column).toBe(1001)
  expect(source).toMatch(/^…a+Xb+…$/)
  expect([...source].length).toBeLessThanOrEqual(122)
  expect(source[caret.length - 1]).toBe('X')
})

test('the caret stands below the character, wherever it is', () => {
  const character = fc.constantFrom('a', ' ', '\t', '\n', '\r\n', ';')
  fc.assert(
    fc.property(fc.array(character), fc.array(character), (before, after) => {
      const { source, caret, line } = excerptAt(`${before.join('')}X${after.join('')}`, before.join('').length)
      expect(source[caret.length - 1]).toBe('X')
      expect(line).toBe(1 + before.filter((text) => text.endsWith('\n')).length)
    }),
  )
})

test('a position of PostgreSQL counts code points', () => {
  expect(offsetOfPosition('𝄞x', 1)).toBe(0)
  expect(offsetOfPosition('𝄞x', 2)).toBe(2)
  expect(offsetOfPosition('x', 99)).toBe(1)
})
