import { Refusal } from '@pando/core/refusal'
import { createPublicKey, hash, type KeyObject, verify, type X509Certificate } from 'node:crypto'
import { errors } from '../errors.ts'
import { readAssertion, readAttestation, readNonce } from './app-attest-objects.ts'
import { type AuthenticatorData, readAuthenticatorData } from './authenticator-data.ts'
import { mustChain } from './certificate-chain.ts'

/** What of App Attest is accepted. */
export type AppAttest = {
  /** Team id, a dot, bundle id. */
  readonly appIds: readonly string[]
  readonly developmentAllowed: boolean
  readonly root: X509Certificate
}

/** A key that lives in the Secure Enclave of one device, made by one installation of an app. */
export type AttestedKey = {
  readonly keyId: Buffer
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
  readonly appId: string
  readonly level: 'production' | 'development'
}

type GivenAttestation = {
  readonly keyId: Buffer
  /** The attestation object, CBOR. */
  readonly object: Buffer
  /** What the app gave to `attestKey`. */
  readonly clientDataHash: Buffer
}

/**
 * Checks that Apple made this certificate for a key of one of our apps, and for this challenge ("Validating apps that
 * connect to your server", the nine steps of verifying an attestation, by number).
 *
 * @throws attestation_failed with the step that failed
 */
export function mustBeAttestation(accepted: AppAttest, given: GivenAttestation, nowMs: number): Promise<AttestedKey> {
  return refusing(() => checkAttestation(accepted, given, nowMs))
}

async function checkAttestation(
  { appIds, developmentAllowed, root }: AppAttest,
  { keyId, object, clientDataHash }: GivenAttestation,
  nowMs: number,
): Promise<AttestedKey> {
  const { chain, authData } = await readAttestation(object)
  // 1
  const credential = mustChain(chain, root, nowMs)
  // 2, 3, 4
  const nonce = sha256(Buffer.concat([authData, clientDataHash]))
  if (!(await readNonce(credential))?.equals(nonce)) throw errors.attestationFailed('it answers another challenge')
  // 5
  if (!sha256(toPoint(credential.publicKey)).equals(keyId)) throw errors.attestationFailed('key_id is of another key')
  const data = readAuthenticatorData(authData)
  // 6
  const appId = mustBeOneOf(appIds, data)
  // 7
  if (data.counter !== 0) throw errors.attestationFailed('its key was used before')
  // 8
  const level = levels.get(data.aaguid)
  if (level === undefined) throw errors.attestationFailed('its environment is unknown')
  if (level === 'development' && !developmentAllowed) {
    throw errors.attestationFailed('it is of the development environment')
  }
  // 9
  if (!data.credentialId.equals(keyId)) throw errors.attestationFailed('its credential is of another key')
  return { keyId, publicKey: credential.publicKey.export({ format: 'der', type: 'spki' }), appId, level }
}

type GivenAssertion = {
  /** The assertion, CBOR. */
  readonly object: Buffer
  /** What the app gave to `generateAssertion`. */
  readonly clientDataHash: Buffer
}

/**
 * Checks that this key signed for this challenge ("Validating apps that connect to your server", verifying an
 * assertion). Whether the counter that it gives has risen is for the database to say, of many at once too.
 *
 * @throws attestation_failed with the step that failed
 */
export function mustBeAssertion(key: Signer, given: GivenAssertion): Promise<{ readonly counter: number }> {
  return refusing(() => checkAssertion(key, given))
}

type Signer = Pick<AttestedKey, 'publicKey' | 'appId'>

async function checkAssertion({ publicKey, appId }: Signer, { object, clientDataHash }: GivenAssertion) {
  const { signature, authenticatorData } = await readAssertion(object)
  // 1, 2, 3
  const nonce = sha256(Buffer.concat([authenticatorData, clientDataHash]))
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  if (!verify('sha256', nonce, key, signature)) {
    throw errors.attestationFailed('its key did not sign this challenge')
  }
  // 4
  const data = readAuthenticatorData(authenticatorData)
  mustBeOneOf([appId], data)
  return { counter: data.counter }
}

/** Bytes of strangers make parsers fail in many ways; all of them are a refusal. */
async function refusing<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw errors.attestationFailed('it cannot be read', error)
  }
}

const levels: ReadonlyMap<string, AttestedKey['level']> = new Map([
  ['appattest\0\0\0\0\0\0\0', 'production'],
  ['appattestdevelop', 'development'],
])

function mustBeOneOf(appIds: readonly string[], { rpIdHash }: AuthenticatorData): string {
  const appId = appIds.find((each) => sha256(Buffer.from(each)).equals(rpIdHash))
  if (appId === undefined) throw errors.attestationFailed('it is of another app')
  return appId
}

/** A P-256 key as X9.62 has it uncompressed: 04, x, y. */
function toPoint(key: KeyObject): Buffer {
  const { crv, x = '', y = '' } = key.export({ format: 'jwk' })
  if (crv !== 'P-256') throw errors.attestationFailed('its key is not of the curve P-256')
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer')
