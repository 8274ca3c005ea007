import { errors } from '../errors.ts'

/** What an authenticator signs (WebAuthn Level 3 §6.1), as far as App Attest uses it. */
export type AuthenticatorData = {
  readonly rpIdHash: Buffer
  readonly counter: number
  /** As latin1 text; only attestations have it, and a credential. */
  readonly aaguid: string
  readonly credentialId: Buffer
}

const headBytes = 37
const credentialIdAt = 55

/**
 * Reads places that never move. Flags are not looked at: assertions of real devices set the one that promises a
 * credential, and have none.
 *
 * @throws attestation_failed when it is too short
 */
export function readAuthenticatorData(bytes: Buffer): AuthenticatorData {
  if (bytes.length < headBytes) throw errors.attestationFailed('its authenticator data is cut short')
  const idBytes = bytes.length >= credentialIdAt ? bytes.readUInt16BE(53) : 0
  return {
    rpIdHash: bytes.subarray(0, 32),
    counter: bytes.readUInt32BE(33),
    aaguid: bytes.subarray(37, 53).toString('latin1'),
    credentialId: bytes.subarray(credentialIdAt, credentialIdAt + idBytes),
  }
}
