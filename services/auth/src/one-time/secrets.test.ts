import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { newCode, newSecret } from './secrets.ts'

test('a code has as many digits as asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 6, max: 10 }), (digits) => {
      expect(newCode(randomBytes, digits)).toMatch(new RegExp(`^\\d{${digits}}$`))
    }),
  )
})

test('bytes that would make small digits likelier are thrown away', () => {
  const rounds = [
    [250, 251, 252, 253, 254, 255],
    [0, 9, 10, 249, 255, 42],
    [7, 7, 7, 7, 7, 7],
  ]
  expect(newCode(() => Buffer.from(rounds.shift()!), 6)).toBe('090927')
})

test('a secret has 256 bits', () => {
  expect(newSecret(randomBytes)).toMatch(/^[0-9a-f]{64}$/)
})
