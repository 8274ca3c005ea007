import { expect, test } from 'vitest'
import { toProviderProof } from './provider-proof.ts'

const iss = 'https://id.example'

test('what a provider says of its proof is kept as it is', () => {
  const told = { acr: 'urn:mfa', amr: ['pwd', 'otp'], auth_time: 1_700_000_000 }
  expect(toProviderProof({ iss, sub: 'ada', ...told })).toEqual({ iss, ...told })
  expect(toProviderProof({ iss, acr: '1' })).toEqual({ iss, acr: '1' })
})

test.each([
  {},
  { acr: 2, amr: 'otp', auth_time: '1700000000' },
  { acr: 'x'.repeat(201), amr: ['pwd', null], auth_time: 1.5 },
  { acr: 'a\u0000', amr: Array(11).fill('pwd'), auth_time: Number.NaN },
])('what is none is left out: %j', (claims) => {
  expect(toProviderProof({ iss, ...claims })).toBeUndefined()
})
