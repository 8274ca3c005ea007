import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSecretBox } from './secret-box.ts'

const key = randomBytes(32)
const box = createSecretBox([key])

test('what is sealed is read again, and looks different each time', () => {
  const sealed = box.seal('JBSWY3DPEHPK3PXP', 'row 1')
  expect(box.open(sealed, 'row 1')).toBe('JBSWY3DPEHPK3PXP')
  expect(sealed).not.toContain('JBSWY3DPEHPK3PXP')
  expect(box.seal('JBSWY3DPEHPK3PXP', 'row 1')).not.toBe(sealed)
})

test('a sealed text cannot be moved to another row, changed or cut', () => {
  const sealed = box.seal('JBSWY3DPEHPK3PXP', 'row 1')
  expect(() => box.open(sealed, 'row 2')).toThrow(/authenticate/)
  for (let at = sealed.lastIndexOf('.') + 1; at < sealed.length - 1; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    expect(() => box.open(sealed.slice(0, at) + other + sealed.slice(at + 1), 'row 1')).toThrow(/authenticate/)
  }
  expect(() => box.open(sealed.slice(0, -8), 'row 1')).toThrow(/authenticate/)
})

test('after a change of keys old texts still open, and new ones need the new key', () => {
  const sealed = box.seal('old', 'row 1')
  const changed = createSecretBox([randomBytes(32), key])
  expect(changed.open(sealed, 'row 1')).toBe('old')
  expect(() => box.open(changed.seal('new', 'row 1'), 'row 1')).toThrow('No key of this installation')
})
