import { expect, test } from 'vitest'
import { issuerLengthMax, toPicture, toTotp, toTotpStep } from './totp.ts'

/** RFC 6238, appendix B: the secret in base32, and the last six of eight digits. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const vectors = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
] as const

test.each(vectors)('at %i seconds the code is %s', (seconds, code) => {
  expect(toTotpStep(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
})

test('a code is good one step before and after its own, and no longer', () => {
  const at = 1_111_111_109_000
  const step = toTotpStep(secret, '081804', at)
  for (const steps of [-1, 1]) expect(toTotpStep(secret, '081804', at + steps * 30_000)).toBe(step)
  for (const steps of [-2, 2]) expect(toTotpStep(secret, '081804', at + steps * 30_000)).toBeUndefined()
})

test('what is no code of six digits is none', () => {
  for (const code of ['', '08180', '0818041', '08180４', ' 081804', 'abcdef']) {
    expect(toTotpStep(secret, code, 1_111_111_109_000)).toBeUndefined()
  }
})

test('the address that apps read names issuer and account, whatever letters they have', () => {
  const { secret: made, uri } = toTotp(Buffer.alloc(20, 7), { issuer: 'Grüne: Wiese', account: 'a+b@example.com' })
  const url = new URL(uri)
  expect(url.protocol).toBe('otpauth:')
  expect(url.searchParams.get('secret')).toBe(made)
  expect(url.searchParams.get('issuer')).toBe('Grüne: Wiese')
  expect(decodeURIComponent(url.pathname)).toContain('a+b@example.com')
})

test('the longest names still make a picture', () => {
  const account = `${'語'.repeat(64)}@${`${'a'.repeat(61)}.`.repeat(3)}example`
  const { uri } = toTotp(Buffer.alloc(20, 7), { issuer: '語'.repeat(issuerLengthMax), account })
  expect(toPicture(uri)).toMatch(/^<svg [^#]*<\/svg>$/)
})
