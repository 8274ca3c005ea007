import 'reflect-metadata'
import { encodeCBOR } from '@levischuck/tiny-cbor'
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { createHash, KeyObject, sign, webcrypto } from 'node:crypto'

/** Somebody who issues certificates: Apple, or not. */
export type Authority = {
  /** What a server trusts. */
  readonly rootPem: string
  readonly intermediate: Issuer
}

type Issuer = { readonly name: string; readonly keys: webcrypto.CryptoKeyPair; readonly der: Buffer }

const dayMs = 86_400_000
const es384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
const es256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest()
const generateKeys = (algorithm: object): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, true, ['sign', 'verify'])

type Wanted = {
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
  readonly issuer?: Issuer
  readonly isAuthority?: boolean
  readonly nonce?: Buffer
  readonly notBefore?: Date
  readonly notAfter?: Date
}

async function issue({ name, keys, issuer, isAuthority = false, nonce, notBefore, notAfter }: Wanted): Promise<Buffer> {
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-384' },
    notBefore: notBefore ?? new Date(Date.now() - dayMs),
    notAfter: notAfter ?? new Date(Date.now() + dayMs),
    extensions: [
      new BasicConstraintsExtension(isAuthority, undefined, true),
      new KeyUsagesExtension(isAuthority ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
      // SEQUENCE { [1] EXPLICIT OCTET STRING }
      ...(nonce === undefined
        ? []
        : [new Extension('1.2.840.113635.100.8.2', false, Buffer.concat([Buffer.from('3024a1220420', 'hex'), nonce]))]),
    ],
  })
  return Buffer.from(certificate.rawData)
}

export async function createAuthority(name: string): Promise<Authority> {
  const root = { name: `${name} root`, keys: await generateKeys(es384), isAuthority: true }
  const rootDer = await issue(root)
  const below = { name: `${name} CA 1`, keys: await generateKeys(es384), isAuthority: true }
  const der = await issue({ ...below, issuer: { ...root, der: rootDer } })
  const rootPem = `-----BEGIN CERTIFICATE-----\n${rootDer.toString('base64')}\n-----END CERTIFICATE-----\n`
  return { rootPem, intermediate: { name: below.name, keys: below.keys, der } }
}

/** Where an attestation or assertion differs from an honest one. */
export type AttestTwist = {
  readonly appId?: string
  readonly counter?: number
  readonly aaguid?: string
  readonly credentialId?: Buffer
  readonly keyId?: Buffer
  /** Who issues the certificate instead. */
  readonly issuer?: Issuer
  readonly nonce?: Buffer | 'none'
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** What becomes of the certificates: the key's, then its issuer's. */
  readonly chain?: (chain: readonly Buffer[]) => readonly Buffer[]
  readonly format?: string
  /** Who signs an assertion instead. */
  readonly signer?: webcrypto.CryptoKeyPair
}

export type AttestDevice = {
  readonly keyId: string
  readonly keys: webcrypto.CryptoKeyPair
  /** The key's certificate with its key, as somebody who wants to issue with it would use them. */
  asIssuer(): Promise<Issuer>
  /** `attestKey`: what the app sends. */
  attest(challenge: string, twist?: AttestTwist): Promise<{ key_id: string; attestation: string }>
  /** `generateAssertion`. */
  assert(challenge: string, twist?: AttestTwist): { key_id: string; assertion: string }
}

export const environments = { production: 'appattest\0\0\0\0\0\0\0', development: 'appattestdevelop' } as const

/** An installation of an app that answers as the Secure Enclave and Apple's servers would, and lies where it is told to. */
export async function createAttestDevice(
  { intermediate }: Authority,
  { appId, curve = es256 }: { readonly appId: string; readonly curve?: object },
): Promise<AttestDevice> {
  const keys = await generateKeys(curve)
  const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', keys.publicKey)
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const ownId = sha256(point)
  let counter = 0

  const toHead = (count: number, { appId: other = appId }: AttestTwist): Buffer => {
    const tail = Buffer.alloc(5)
    // Real assertions have this flag too, without the credential that it promises.
    tail[0] = 0x40
    tail.writeUInt32BE(count, 1)
    return Buffer.concat([sha256(other), tail])
  }

  return {
    keyId: ownId.toString('base64'),
    keys,
    asIssuer: async () => ({ name: 'device', keys, der: await issue({ name: 'device', keys, issuer: intermediate }) }),
    attest: async (challenge, twist = {}) => {
      const { aaguid = environments.production, credentialId = ownId, keyId = ownId, issuer = intermediate } = twist
      const idBytes = Buffer.from([credentialId.length >> 8, credentialId.length & 255])
      const head = toHead(twist.counter ?? 0, twist)
      const authData = Buffer.concat([head, Buffer.from(aaguid, 'latin1'), idBytes, credentialId, toCose(point)])
      const expected = sha256(Buffer.concat([authData, sha256(challenge)]))
      const nonce = twist.nonce === 'none' ? undefined : (twist.nonce ?? expected)
      const { notBefore, notAfter, chain = (same) => same, format = 'apple-appattest' } = twist
      const leaf = await issue({ name: ownId.toString('hex'), keys, issuer, nonce, notBefore, notAfter })
      const x5c = chain([leaf, issuer.der]).map((der) => new Uint8Array(der))
      const receipt = new Uint8Array(16)
      const object = new Map<string, Parameters<typeof encodeCBOR>[0]>([
        ['fmt', format],
        [
          'attStmt',
          new Map<string, Parameters<typeof encodeCBOR>[0]>([
            ['x5c', x5c],
            ['receipt', receipt],
          ]),
        ],
        ['authData', new Uint8Array(authData)],
      ])
      return { key_id: keyId.toString('base64'), attestation: Buffer.from(encodeCBOR(object)).toString('base64') }
    },
    assert: (challenge, twist = {}) => {
      counter = twist.counter ?? counter + 1
      const data = toHead(counter, twist)
      const nonce = sha256(Buffer.concat([data, sha256(challenge)]))
      const { privateKey } = twist.signer ?? keys
      const signature = sign('sha256', nonce, KeyObject.from(privateKey))
      const object = new Map([
        ['signature', new Uint8Array(signature)],
        ['authenticatorData', new Uint8Array(data)],
      ])
      const keyId = twist.keyId ?? ownId
      return { key_id: keyId.toString('base64'), assertion: Buffer.from(encodeCBOR(object)).toString('base64') }
    },
  }
}

/** CBOR of an ES256 key (RFC 9052 §7). */
function toCose(point: Buffer): Buffer {
  const half = (point.length - 1) / 2
  const [x, y] = [point.subarray(1, 1 + half), point.subarray(1 + half)]
  const key = new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, new Uint8Array(x)],
    [-3, new Uint8Array(y)],
  ])
  return Buffer.from(encodeCBOR(key))
}
