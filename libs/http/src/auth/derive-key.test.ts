import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { deriveKey, listInstallationSecrets } from './derive-key.ts'

const secret = 'a-secret-of-these-tests-with-at-least-32-bytes'

test('a key is the same for the same secret and purpose, and another for any other', () => {
  const key = deriveKey(secret, 'codes')
  expect(key).toHaveLength(32)
  expect(deriveKey(secret, 'codes')).toEqual(key)
  expect(deriveKey(secret, 'mails')).not.toEqual(key)
  expect(deriveKey(`${secret}!`, 'codes')).not.toEqual(key)
})

test('the secret that was set for data at rest goes first, and those before it still count', () => {
  const { d, ...jwk } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const signingKeys = JSON.stringify([{ ...jwk, d }])
  expect(listInstallationSecrets({ own: 'own', jwtSecret: secret, signingKeys })).toEqual(['own', secret, d])
  expect(listInstallationSecrets({ signingKeys })).toEqual([d])
})

test('an installation may know nothing but public keys', () => {
  expect(listInstallationSecrets({})).toEqual([])
})
