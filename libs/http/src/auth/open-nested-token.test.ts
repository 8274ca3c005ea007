import { CompactEncrypt, CompactSign } from 'jose'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openNestedToken } from './open-nested-token.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const decryption = createSecretKey(randomBytes(32))
const { privateKey, publicKey: verification } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keys = { decryption, verification }

const signed = (alg = 'ES256', key = privateKey) =>
  new CompactSign(encode('{"a":1}')).setProtectedHeader({ alg }).sign(key)
const sealed = (inner: string, { alg = 'A256KW', enc = 'A256GCM', key = decryption } = {}) =>
  new CompactEncrypt(encode(inner)).setProtectedHeader({ alg, enc }).encrypt(key)

test('what was signed and then encrypted for us is read', async () => {
  expect(await openNestedToken(await sealed(await signed()), keys)).toBe('{"a":1}')
})

test('a token of other keys, of other algorithms, or without a signature is refused', async () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const tokens = [
    await sealed(await signed('ES256', stranger)),
    await sealed(await signed('RS256', rsa)),
    await sealed('{"a":1}'),
    await sealed(await signed(), { key: createSecretKey(randomBytes(32)) }),
    await sealed(await signed(), { alg: 'dir' }),
    await sealed(await signed(), { enc: 'A128CBC-HS256' }),
    await signed(),
    '',
    'a.b.c.d.e',
  ]
  for (const token of tokens) await expect(openNestedToken(token, keys)).rejects.toBeInstanceOf(Error)
})
