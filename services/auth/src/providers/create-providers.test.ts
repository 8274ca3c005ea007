import { readConfiguration } from '@pando/config/read-configuration'
import { systemClock } from '@pando/core/clock'
import { parseToken } from '@pando/http/auth/parse-token'
import { generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { authOptions } from '../config.ts'
import { createProviders } from './create-providers.ts'

const limits = { timeoutMs: 1000, freshMs: 1000, staleMs: 1000, betweenMs: 1000, bytesMax: 1000 }

function providersOf(external: Record<string, unknown>) {
  const { auth } = readConfiguration({ auth: authOptions }, { project: { auth: { external } } })
  return createProviders({ options: auth, clock: systemClock, limits })
}

test('a file of an existing project enables what it says', () => {
  const written = {
    enabled: true,
    client_id: 'web,ios',
    secret: 's',
    redirect_uri: '',
    url: '',
    skip_nonce_check: true,
  }
  const off = { enabled: false, client_id: '', secret: '', redirect_uri: '', url: '' }
  const providers = providersOf({ google: written, apple: off })
  expect([...providers.keys()]).toEqual(['google'])
  expect(providers.get('google')).toMatchObject({ clientIds: ['web', 'ios'], skipNonceCheck: true, url: undefined })
})

test('all mistakes are told together, and no secret', () => {
  const oidc = [
    { name: 'Acme!', issuer: 'http://id.example', client_id: ['a'] },
    { name: 'b', issuer: 'https://id.example', client_id: [] },
    { name: 'b', issuer: 'https://id.example', client_id: ['a'] },
  ]
  const apple = {
    enabled: true,
    client_id: 'a',
    secret: '-----BEGIN PRIVATE KEY-----\nhush',
    team_id: 't',
    key_id: 'k',
  }
  const create = () => providersOf({ github: { enabled: true }, keycloak: { enabled: true }, apple, oidc })
  for (const mistake of [
    'auth.external.github.secret is missing',
    'auth.external.github.client_id is missing',
    'auth.external.keycloak.url is missing',
    'apple.secret cannot be read',
    '"Acme!"',
    'http://id.example must be https',
    'auth.external.oidc (b).client_id is missing',
    'names custom:b 2 times',
  ])
    expect(create).toThrow(mistake)
  expect(create).not.toThrow('hush')
})

test('Apple gets a token that its key signed, good for minutes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
    .replaceAll('\n', String.raw`\n`)
  const apple = { enabled: true, client_id: 'com.example', secret, team_id: 'TEAM', key_id: 'KEY' }
  const token = await providersOf({ apple }).get('apple')!.secret('com.example')
  const { algorithm, kid, claims, signingInput, signature } = parseToken(token, 10_000)
  expect({ algorithm, kid }).toEqual({ algorithm: 'ES256', kid: 'KEY' })
  expect(claims).toMatchObject({ iss: 'TEAM', sub: 'com.example', aud: 'https://appleid.apple.com' })
  expect(Number(claims.exp) - Number(claims['iat'])).toBe(300)
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  expect(verify('sha256', Buffer.from(signingInput), key, signature)).toBe(true)
})
