import { encodeCBOR } from '@levischuck/tiny-cbor'
import fc from 'fast-check'
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { type AppAttest, mustBeAssertion, mustBeAttestation } from './app-attest.ts'
import { appleRoot } from './apple-root.ts'

// The example of Apple's "Attestation Object Validation Guide" without its receipt: made by a real device.
const appId = '0352187391.com.apple.example_app_attest'
const keyId = Buffer.from('bSrEhF8TIzIvWSPwvZ0i2+UOBre4ASH84rK15m6emNY=', 'base64')
/** In this example it is no hash. */
const clientDataHash = Buffer.from('test_server_challenge')
const leaf = Buffer.from(
  'MIIDsjCCAzmgAwIBAgIGAY7x/U1KMAoGCCqGSM49BAMCME8xIzAhBgNVBAMMGkFwcGxlIEFwcCBBdHRlc3RhdGlvbiBDQSAxMRMwEQYDVQQKDApBcHBsZSBJbmMuMRMwEQYDVQQIDApDYWxpZm9ybmlhMB4XDTI0MDQxNzE2MTQ1M1oXDTI0MDQyMDE2MTQ1M1owgZExSTBHBgNVBAMMQDZkMmFjNDg0NWYxMzIzMzIyZjU5MjNmMGJkOWQyMmRiZTUwZTA2YjdiODAxMjFmY2UyYjJiNWU2NmU5ZTk4ZDYxGjAYBgNVBAsMEUFBQSBDZXJ0aWZpY2F0aW9uMRMwEQYDVQQKDApBcHBsZSBJbmMuMRMwEQYDVQQIDApDYWxpZm9ybmlhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjC4Mq2+SI5cOf1q26S/XpNbWIaYOVIZEvxl2TvHvhTYR9sK2u1Oyu6LTRoGX5L6rLDbKwOTiT0HzUTLJR15cJKOCAbwwggG4MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgTwMIGIBgkqhkiG92NkCAUEezB5pAMCAQq/iTADAgEBv4kxAwIBAL+JMgMCAQG/iTMDAgEBv4k0KQQnMDM1MjE4NzM5MS5jb20uYXBwbGUuZXhhbXBsZV9hcHBfYXR0ZXN0pQYEBHNrcyC/iTYDAgEFv4k3AwIBAL+JOQMCAQC/iToDAgEAv4k7AwIBADCB1wYJKoZIhvdjZAgHBIHJMIHGv4p4BgQEMTguML+IUAcCBQD/////v4p7CQQHMjJBMjQ0Yr+KfAYEBDE4LjC/in0GBAQxOC4wv4p+AwIBAL+KfwMCAQC/iwADAgEAv4sBAwIBAL+LAgMCAQC/iwMDAgEAv4sEAwIBAb+LBQMCAQC/iwoQBA4yMi4xLjI0NC4wLjIsML+LCxAEDjIyLjEuMjQ0LjAuMiwwv4sMEAQOMjIuMS4yNDQuMC4yLDC/iAIKBAhpcGhvbmVvc7+IBQoECEludGVybmFsMDMGCSqGSIb3Y2QIAgQmMCShIgQg+20WKnF+yrF3iQBQb6lNZ+4MHcPUWxLN3oG+/Fblt+swCgYIKoZIzj0EAwIDZwAwZAIwIk4vHloC64CyG7xk6mEC2wNk4hFv+CryBxCTirG4ZOdRgu0CrvFuj3zQEmtLDUe2AjACi2YebCyyzhd8AwH1hvLgIrpmMj2AJiy0is9Z5OLDYkz9BNUX0IBWGJlewqdr2iU=',
  'base64',
)
const intermediate = Buffer.from(
  'MIICQzCCAcigAwIBAgIQCbrF4bxAGtnUU5W8OBoIVDAKBggqhkjOPQQDAzBSMSYwJAYDVQQDDB1BcHBsZSBBcHAgQXR0ZXN0YXRpb24gUm9vdCBDQTETMBEGA1UECgwKQXBwbGUgSW5jLjETMBEGA1UECAwKQ2FsaWZvcm5pYTAeFw0yMDAzMTgxODM5NTVaFw0zMDAzMTMwMDAwMDBaME8xIzAhBgNVBAMMGkFwcGxlIEFwcCBBdHRlc3RhdGlvbiBDQSAxMRMwEQYDVQQKDApBcHBsZSBJbmMuMRMwEQYDVQQIDApDYWxpZm9ybmlhMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAErls3oHdNebI1j0Dn0fImJvHCX+8XgC3qs4JqWYdP+NKtFSV4mqJmBBkSSLY8uWcGnpjTY71eNw+/oI4ynoBzqYXndG6jWaL2bynbMq9FXiEWWNVnr54mfrJhTcIaZs6Zo2YwZDASBgNVHRMBAf8ECDAGAQH/AgEAMB8GA1UdIwQYMBaAFKyREFMzvb5oQf+nDKnl+url5YqhMB0GA1UdDgQWBBQ+410cBBmpybQx+IR01uHhV3LjmzAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwMDaQAwZgIxALu+iI1zjQUCz7z9Zm0JV1A1vNaHLD+EMEkmKe3R+RToeZkcmui1rvjTqFQz97YNBgIxAKs47dDMge0ApFLDukT5k2NlU/7MKX8utN+fXr5aSsq2mVxLgg35BDhveAe7WJQ5tw==',
  'base64',
)
const authData = Buffer.from(
  'FVhAM8lQuf6dUUziohGjJtcaprEBSrTG+i+9qdmqGKZAAAAAAGFwcGF0dGVzdAAAAAAAAAAAIG0qxIRfEyMyL1kj8L2dItvlDga3uAEh/OKyteZunpjWpQECAyYgASFYIIwuDKtvkiOXDn9atukv16TW1iGmDlSGRL8Zdk7x74U2IlggEfbCtrtTsrui00aBl+S+qyw2ysDk4k9B81EyyUdeXCQ=',
  'base64',
)
const root = new X509Certificate(appleRoot)
const apple: AppAttest = { appIds: ['A1B2C3D4E5.com.example.other', appId], developmentAllowed: false, root }
const whenMade = Date.parse('2024-04-18T16:14:54Z')

function toObject({ x5c = [leaf, intermediate], data = authData }: { x5c?: Buffer[]; data?: Buffer } = {}): Buffer {
  const bytes = (buffer: Buffer) => new Uint8Array(buffer)
  const statement = new Map([['x5c', x5c.map(bytes)]])
  const object = new Map<string, Parameters<typeof encodeCBOR>[0]>([
    ['fmt', 'apple-appattest'],
    ['attStmt', statement],
    ['authData', bytes(data)],
  ])
  return Buffer.from(encodeCBOR(object))
}

const given = { keyId, object: toObject(), clientDataHash }
const isRefused = { code: 'attestation_failed' }

test('the pinned root is the one that Apple publishes, and signed itself', () => {
  expect(root.fingerprint256).toBe(
    '1C:B9:82:3B:A2:8B:A6:AD:2D:33:A0:06:94:1D:E2:AE:4F:51:3E:F1:D4:E8:31:B9:F7:E0:FA:7B:62:42:C9:32',
  )
  expect(root.verify(root.publicKey)).toBe(true)
})

test("an attestation of a real device leads to Apple's root", async () => {
  const key = await mustBeAttestation(apple, given, whenMade)
  expect(key).toMatchObject({ keyId, appId, level: 'production' })
  expect(key.publicKey).toHaveLength(91)
})

const changed = (at: number): Buffer => {
  const data = Buffer.from(authData)
  data[at] = data[at]! ^ 1
  return data
}

test.each([
  ['before it was made', given, Date.parse('2024-04-17T00:00:00Z')],
  ['after its certificate expired', given, Date.parse('2024-04-21T00:00:00Z')],
  ['for another challenge', { ...given, clientDataHash: Buffer.from('another') }, whenMade],
  ['for another key', { ...given, keyId: Buffer.alloc(32) }, whenMade],
  ['without the intermediate certificate', { ...given, object: toObject({ x5c: [leaf] }) }, whenMade],
  ['with certificates in the wrong order', { ...given, object: toObject({ x5c: [intermediate, leaf] }) }, whenMade],
  ['with one more certificate', { ...given, object: toObject({ x5c: [leaf, intermediate, intermediate] }) }, whenMade],
  ['with another app in its data', { ...given, object: toObject({ data: changed(0) }) }, whenMade],
  ['with another counter in its data', { ...given, object: toObject({ data: changed(36) }) }, whenMade],
  ['with another environment in its data', { ...given, object: toObject({ data: changed(46) }) }, whenMade],
  ['with another credential in its data', { ...given, object: toObject({ data: changed(60) }) }, whenMade],
  ['that is cut short', { ...given, object: given.object.subarray(0, 500) }, whenMade],
  ['that is empty', { ...given, object: Buffer.alloc(0) }, whenMade],
])('that attestation %s is refused', async (_name, forged, nowMs) => {
  await expect(mustBeAttestation(apple, forged, nowMs)).rejects.toMatchObject(isRefused)
})

test('no bit of that attestation can be changed', async () => {
  const flips = fc.record({ at: fc.nat(given.object.length - 1), bit: fc.nat(7) })
  await fc.assert(
    fc.asyncProperty(flips, async ({ at, bit }) => {
      const object = Buffer.from(given.object)
      object[at] = object[at]! ^ (1 << bit)
      await expect(mustBeAttestation(apple, { ...given, object }, whenMade)).rejects.toMatchObject(isRefused)
    }),
    { numRuns: 300 },
  )
})

test('whatever bytes come as attestation or assertion, they are refused', async () => {
  const { publicKey } = await mustBeAttestation(apple, given, whenMade)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const forged = { ...given, object: Buffer.from(bytes) }
      await expect(mustBeAttestation(apple, forged, whenMade)).rejects.toMatchObject(isRefused)
      await expect(mustBeAssertion({ publicKey, appId }, forged)).rejects.toMatchObject(isRefused)
    }),
  )
})

test('that attestation is refused where only other apps are accepted', async () => {
  const others = { ...apple, appIds: ['A1B2C3D4E5.com.example.other'] }
  await expect(mustBeAttestation(others, given, whenMade)).rejects.toThrow('it is of another app')
})

test('an assertion that is none is refused', async () => {
  const key = await mustBeAttestation(apple, given, whenMade)
  const objects = [Buffer.alloc(0), toObject(), Buffer.from(encodeCBOR(new Map([['signature', new Uint8Array(64)]])))]
  for (const object of objects) {
    await expect(mustBeAssertion(key, { object, clientDataHash })).rejects.toMatchObject(isRefused)
  }
})
