import { ConfigurationError } from '@pando/config/read-configuration'
import type { Clock } from '@pando/core/clock'
import { X509Certificate } from 'node:crypto'
import type { AuthOptions } from '../config.ts'
import type { AppAttest } from './app-attest.ts'
import { appleRoot } from './apple-root.ts'
import { parseServiceAccount } from './google-account.ts'
import { createGoogleDecoder, type Decode } from './google-decoder.ts'
import { createLocalDecoder, parsePlayKeys } from './local-decoder.ts'
import type { VerdictRules } from './verdict.ts'

/** What of Play Integrity is accepted, and who reads its tokens. */
export type PlayIntegrity = {
  readonly packages: readonly string[]
  readonly rules: VerdictRules
  readonly decode: Decode
}

/** Who may vouch for devices; not there are those that are not configured. */
export type Attestation = { readonly appAttest?: AppAttest; readonly playIntegrity?: PlayIntegrity }

type AttestationDeps = {
  readonly options: AuthOptions
  readonly clock: Clock
  /** Told why Google could not be asked; callers are told less. */
  readonly warn: (error: unknown) => void
}

/** Reads what the configuration says of attestation. Throws one `ConfigurationError` with all mistakes. */
export function createAttestation(deps: AttestationDeps): Attestation {
  const { options } = deps
  const mistakes: string[] = []
  const attestation: Attestation = {
    ...(options.appAttestAppIds.length > 0 && { appAttest: readAppAttest(options, mistakes) }),
    ...(options.playIntegrityPackages.length > 0 && { playIntegrity: readPlayIntegrity(deps, mistakes) }),
  }
  const isOn = attestation.appAttest !== undefined || attestation.playIntegrity !== undefined
  if (isOn && options.attestationExpiry < options.jwtExpiry) {
    mistakes.push('auth.attestation.expiry is shorter than auth.jwt_expiry, so no token could say that it is attested')
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return attestation
}

function readAppAttest(options: AuthOptions, mistakes: string[]): AppAttest | undefined {
  const { appAttestAppIds: appIds, appAttestRootCertificate: pem } = options
  for (const appId of appIds) {
    if (!/^[A-Z0-9]{10}\.[\w.-]+$/.test(appId)) {
      mistakes.push(
        `auth.attestation.app_attest.app_ids has ${JSON.stringify(appId)}; write team id and bundle id, A1B2C3D4E5.com.example.app`,
      )
    }
  }
  const root = attempt(
    mistakes,
    'auth.attestation.app_attest.root_certificate',
    () =>
      // In a variable the lines of a PEM file are often written with `\n`.
      new X509Certificate((pem ?? appleRoot).replaceAll(String.raw`\n`, '\n')),
  )
  return root && { appIds, developmentAllowed: options.appAttestDevelopmentAllowed, root }
}

function readPlayIntegrity(deps: AttestationDeps, mistakes: string[]): PlayIntegrity | undefined {
  const { options } = deps
  const certificates = options.playIntegrityCertificates.map(toDigest)
  if (certificates.includes(undefined)) {
    mistakes.push('auth.attestation.play_integrity.certificates must be SHA-256 digests in hex or base64url')
  }
  if (options.playIntegrityUnrecognizedAllowed && certificates.length === 0) {
    mistakes.push(
      'auth.attestation.play_integrity.unrecognized_allowed needs certificates, or anybody could build the app',
    )
  }
  const decode = readDecoder(deps, mistakes)
  const rules = { ...options, certificates: certificates.filter((digest) => digest !== undefined) }
  return decode && { packages: options.playIntegrityPackages, rules, decode }
}

function readDecoder({ options, clock, warn }: AttestationDeps, mistakes: string[]): Decode | undefined {
  const prefix = 'auth.attestation.play_integrity'
  const file = options.playIntegrityServiceAccount?.reveal()
  const decryption = options.playIntegrityDecryptionKey?.reveal()
  const verification = options.playIntegrityVerificationKey?.reveal()
  const account =
    file === undefined ? undefined : attempt(mistakes, `${prefix}.service_account`, () => parseServiceAccount(file))
  const google =
    account &&
    createGoogleDecoder({
      account,
      url: options.playIntegrityUrl,
      timeoutMs: options.playIntegrityTimeout,
      clock,
      warn,
    })
  if (decryption !== undefined && verification !== undefined) {
    const keys = attempt(mistakes, `${prefix}.decryption_key or verification_key`, () =>
      parsePlayKeys(decryption, verification),
    )
    return keys && createLocalDecoder(keys, google)
  }
  if (file === undefined || decryption !== undefined || verification !== undefined) {
    mistakes.push(`${prefix} needs service_account, or both of decryption_key and verification_key`)
  }
  return google
}

/** As Google writes it: base64url without `=`. */
function toDigest(text: string): string | undefined {
  const hex = text.replaceAll(':', '')
  const bytes = /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, 'hex') : Buffer.from(text, 'base64url')
  return bytes.length === 32 ? bytes.toString('base64url') : undefined
}

function attempt<T>(mistakes: string[], name: string, read: () => T): T | undefined {
  try {
    return read()
  } catch {
    // The reason could quote a key.
    mistakes.push(`${name} cannot be read`)
    return undefined
  }
}
