import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalEmail } from './email.ts'

test.each([
  ['Ada@Example.COM', 'ada@example.com'],
  ['  ada@example.com\n', 'ada@example.com'],
  ['ada+tag@example.com', 'ada+tag@example.com'],
  ['a.d.a@example.com', 'a.d.a@example.com'],
  ["o'hara/x=y!#$%&*@example.com", "o'hara/x=y!#$%&*@example.com"],
  ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  // One letter, or a letter and an accent.
  ['andr\u00e9@example.com', 'andr\u00e9@example.com'],
  ['andre\u0301@example.com', 'andr\u00e9@example.com'],
  // Full-width letters and ideographic full stop, as browsers read them.
  ['ada@ｅｘａｍｐｌｅ。com', 'ada@example.com'],
])('%s is %s', (given, canonical) => {
  expect(canonicalEmail(given)).toBe(canonical)
})

test.each([
  '',
  'ada',
  '@example.com',
  'ada@',
  'ada@localhost',
  'ada@example',
  'ada@exam ple.com',
  'ada lovelace@example.com',
  'ada@example.com@evil.example',
  '.ada@example.com',
  'ada.@example.com',
  'a..da@example.com',
  '"ada"@example.com',
  'ada@[127.0.0.1]',
  'ada@example.com\r\nBcc: eve@evil.example',
  'a\u0000da@example.com',
  'a\u200bda@example.com',
  'a\u202eda@example.com',
  'ada<eve@evil.example>@example.com',
  'ada,eve@example.com',
  'ada;eve@example.com',
  'ada(comment)@example.com',
  `${'a'.repeat(65)}@example.com`,
  `ada@${'a'.repeat(250)}.com`,
  'ada@example..com',
  'ada@-example.com',
  'ada@example-.com',
  'ada@192.0.2.1',
])('%j is no address', (given) => {
  expect(() => canonicalEmail(given)).toThrow('Unable to validate email address: invalid format')
})

test('the canonical form is its own canonical form', () => {
  fc.assert(
    fc.property(fc.emailAddress(), fc.boolean(), (address, loud) => {
      let canonical: string
      try {
        canonical = canonicalEmail(loud ? address.toUpperCase() : address)
      } catch {
        return
      }
      expect(canonicalEmail(canonical)).toBe(canonical)
      expect(canonicalEmail(address.toLowerCase())).toBe(canonical)
    }),
  )
})
