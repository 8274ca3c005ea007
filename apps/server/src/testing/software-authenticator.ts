import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Where an answer differs from an honest one. */
export type Twist = {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly counter?: number
  readonly userHandle?: string
  readonly credentialId?: string
}

type CreationOptions = { readonly challenge: string; readonly user: { readonly id: string } }
type RequestOptions = { readonly challenge: string }

/** A passkey in memory that answers as a browser would (WebAuthn Level 3 §6), and lies where it is told to. */
export type SoftwareAuthenticator = {
  readonly credentialId: string
  create(options: CreationOptions, twist?: Twist): object
  get(options: RequestOptions, twist?: Twist): object
}

const userPresent = 0x01
const userVerified = 0x04
const hasCredential = 0x40

export function createSoftwareAuthenticator(party: { rpId: string; origin: string }): SoftwareAuthenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = publicKey.export({ format: 'jwk' })
  const rawId = randomBytes(32)
  const credentialId = rawId.toString('base64url')
  let userHandle = ''
  let counter = 0

  const clientData = (type: string, challenge: string, { origin = party.origin }: Twist): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const authenticatorData = (flags: number, count: number, { rpId = party.rpId }: Twist): Buffer => {
    const tail = Buffer.alloc(5)
    tail[0] = flags
    tail.writeUInt32BE(count, 1)
    return Buffer.concat([sha256(Buffer.from(rpId)), tail])
  }
  const envelope = (response: object, { credentialId: id = credentialId }: Twist) => ({
    id,
    rawId: id,
    type: 'public-key',
    response,
    clientExtensionResults: {},
  })

  return {
    credentialId,
    create(options, twist = {}) {
      userHandle = options.user.id
      const key = Buffer.concat([coseHead, Buffer.from(x!, 'base64url'), coseMiddle, Buffer.from(y!, 'base64url')])
      const head = authenticatorData(userPresent | userVerified | hasCredential, 0, twist)
      const data = Buffer.concat([head, Buffer.alloc(16), Buffer.from([0, rawId.length]), rawId, key])
      const attestation = Buffer.concat([attestationHead, Buffer.from([data.length]), data])
      const client = clientData('webauthn.create', twist.challenge ?? options.challenge, twist)
      return envelope(
        { clientDataJSON: text(client), attestationObject: text(attestation), transports: ['usb'] },
        twist,
      )
    },
    get(options, twist = {}) {
      counter = twist.counter ?? counter + 1
      const client = clientData('webauthn.get', twist.challenge ?? options.challenge, twist)
      const data = authenticatorData(userPresent | userVerified, counter, twist)
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey)
      const parts = { clientDataJSON: text(client), authenticatorData: text(data), signature: text(signature) }
      return envelope({ ...parts, userHandle: twist.userHandle ?? userHandle }, twist)
    },
  }
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
const text = (bytes: Buffer): string => bytes.toString('base64url')

/** CBOR of an ES256 key (RFC 9052 §7): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
const coseHead = Buffer.from('a5010203262001215820', 'hex')
const coseMiddle = Buffer.from('225820', 'hex')
/** CBOR of {"fmt": "none", "attStmt": {}, "authData": …} up to the length of the last. */
const attestationHead = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex')
