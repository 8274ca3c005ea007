import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server'
import { hash } from 'node:crypto'
import type { AuthOptions } from '../config.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { UserRow } from '../store/users.ts'
import type { Assertion, Registration } from './credential-bodies.ts'
import { toRelyingParty, toUserEntity } from './relying-party.ts'

/** Takes a quarter of a second, which only installations with security keys or passkeys should wait for, once. */
const loadLibrary = () => import('@simplewebauthn/server')

const challengeBytes = 32

/** Challenges are stored hashed: who reads the table cannot answer one. */
export const hashChallenge = (challenge: string): string => hash('sha256', challenge, 'base64url')

/** Ed25519, ECDSA with P-256, RSA (IANA COSE Algorithms): what authenticators have. */
const algorithms = [-8, -7, -257]

/** What may be asked of an authenticator beside the challenge. */
type Wanted = {
  readonly user: UserRow
  /** Credentials that the person has. */
  readonly known: readonly string[]
  /** `required` where the person signs in with it before saying who they are. */
  readonly residentKey: 'required' | 'discouraged'
  readonly timeoutMs: number
}

/** Options of `navigator.credentials.create()` (§5.4). */
export async function toCreationOptions({ options, randomBytes }: AuthDeps, wanted: Wanted) {
  const { generateRegistrationOptions } = await loadLibrary()
  const party = toRelyingParty(options)
  return generateRegistrationOptions({
    ...toUserEntity(wanted.user),
    rpID: party.id,
    rpName: party.name,
    challenge: new Uint8Array(randomBytes(challengeBytes)),
    timeout: wanted.timeoutMs,
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: wanted.known.map((id) => ({ id })),
    authenticatorSelection: { residentKey: wanted.residentKey, userVerification: 'preferred' },
  })
}

/** Options of `navigator.credentials.get()` (§5.5): for one of these credentials, or any that the device has. */
export async function toRequestOptions(
  { options, randomBytes }: AuthDeps,
  wanted: { readonly allowed?: readonly { id: string; transports: string[] }[]; readonly timeoutMs: number },
) {
  const { generateAuthenticationOptions } = await loadLibrary()
  return generateAuthenticationOptions({
    rpID: toRelyingParty(options).id,
    challenge: new Uint8Array(randomBytes(challengeBytes)),
    timeout: wanted.timeoutMs,
    userVerification: 'preferred',
    ...(wanted.allowed && { allowCredentials: [...wanted.allowed] }),
  })
}

type Expected = { readonly options: AuthOptions; readonly challengeHash: string }

/** A new credential, for this challenge, origin and domain (§7.1). @throws a refusal otherwise */
export async function mustBeRegistration(
  given: Registration,
  expected: Expected,
): Promise<NonNullable<VerifiedRegistrationResponse['registrationInfo']>> {
  return refusing(async () => {
    const { verifyRegistrationResponse } = await loadLibrary()
    const attestationObject = await withoutAttestation(given.response.attestationObject)
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...toExpectations(expected),
      supportedAlgorithmIDs: algorithms,
      response: {
        ...given,
        response: { ...given.response, attestationObject },
        clientExtensionResults: {},
      } as RegistrationResponseJSON,
    })
    if (!verified) throw new Error('the attestation does not verify')
    return registrationInfo
  })
}

/** A public key as it is stored, and how far it has counted. */
export type StoredCredential = { readonly id: string; readonly publicKey: Buffer; readonly counter: number }

/** Signed with that key, for this challenge, origin and domain, and counted on (§7.2). @throws a refusal otherwise */
export async function mustBeAssertion(
  given: Assertion,
  { stored, ...expected }: Expected & { readonly stored: StoredCredential },
): Promise<{ readonly newCounter: number; readonly credentialBackedUp: boolean }> {
  return refusing(async () => {
    if (given.id !== stored.id) throw new Error('it is another credential')
    const { verifyAuthenticationResponse } = await loadLibrary()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...toExpectations(expected),
      response: { ...given, clientExtensionResults: {} } as AuthenticationResponseJSON,
      credential: { ...stored, publicKey: new Uint8Array(stored.publicKey) },
    })
    if (!verified) throw new Error('the signature does not verify')
    return authenticationInfo
  })
}

function toExpectations({ options, challengeHash }: Expected) {
  const party = toRelyingParty(options)
  return {
    expectedChallenge: (challenge: string) => hashChallenge(challenge) === challengeHash,
    expectedOrigin: [...party.origins],
    expectedRPID: party.id,
    requireUserVerification: false,
  }
}

/**
 * We ask who made an authenticator of nobody (§5.4.7), but some clients tell it anyway. It is left out: nothing depends
 * on it, and checking certificates would mean to fetch addresses that they name.
 */
async function withoutAttestation(attestationObject: string): Promise<string> {
  const { decodeAttestationObject, isoBase64URL, isoCBOR } = await import('@simplewebauthn/server/helpers')
  const given = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject))
  const entries: [string, Parameters<typeof isoCBOR.encode>[0]][] = [
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', given.get('authData')],
  ]
  return isoBase64URL.fromBuffer(isoCBOR.encode(new Map(entries)))
}

/** Whatever is wrong with a credential, its sender learns only that it is. */
async function refusing<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    throw errors.webauthnFailed(error)
  }
}
