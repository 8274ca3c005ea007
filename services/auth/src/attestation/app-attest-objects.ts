import type { X509Certificate } from 'node:crypto'
import { errors } from '../errors.ts'

// The libraries are loaded by the first device that needs them.

/** The certificates and the authenticator data of an attestation object. @throws attestation_failed when it is none */
export async function readAttestation(
  object: Buffer,
): Promise<{ readonly chain: readonly Buffer[]; readonly authData: Buffer }> {
  const map = await decodeMap(object)
  const statement = map.get('attStmt')
  const chain = statement instanceof Map ? statement.get('x5c') : undefined
  if (map.get('fmt') !== 'apple-appattest' || !Array.isArray(chain)) throw unreadable()
  return { chain: chain.map(mustBeBytes), authData: mustBeBytes(map.get('authData')) }
}

/** What was signed and the signature, of an assertion. @throws attestation_failed when it is none */
export async function readAssertion(
  object: Buffer,
): Promise<{ readonly signature: Buffer; readonly authenticatorData: Buffer }> {
  const map = await decodeMap(object)
  return {
    signature: mustBeBytes(map.get('signature')),
    authenticatorData: mustBeBytes(map.get('authenticatorData')),
  }
}

async function decodeMap(object: Buffer): Promise<ReadonlyMap<unknown, unknown>> {
  const { decodeCBOR } = await import('@levischuck/tiny-cbor')
  try {
    const value = decodeCBOR(new Uint8Array(object))
    if (value instanceof Map) return value
  } catch (cause) {
    throw unreadable(cause)
  }
  throw unreadable()
}

function mustBeBytes(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw unreadable()
}

const unreadable = (cause?: unknown) => errors.attestationFailed('it is not what App Attest gives', cause)

/** The octet string in extension 1.2.840.113635.100.8.2: SEQUENCE { [1] EXPLICIT OCTET STRING }. */
export async function readNonce(certificate: X509Certificate): Promise<Buffer | undefined> {
  const [{ AsnConvert }, { Certificate }] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ])
  const { tbsCertificate } = AsnConvert.parse(certificate.raw, Certificate)
  const extension = tbsCertificate.extensions?.find(({ extnID }) => extnID === '1.2.840.113635.100.8.2')
  const value = Buffer.from(extension?.extnValue.buffer ?? new ArrayBuffer(0))
  // DER has one way to write it.
  return value.subarray(0, nonceHead.length).equals(nonceHead) ? value.subarray(nonceHead.length) : undefined
}

const nonceHead = Buffer.from('3024a1220420', 'hex')
