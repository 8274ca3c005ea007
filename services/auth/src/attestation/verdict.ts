import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { type Attested, type PlayLevel, playLevels } from './attested.ts'

/** What a token of Play Integrity says ("Integrity verdicts"), as far as it is looked at. Members may be missing. */
export type Verdict = {
  readonly requestDetails?: {
    readonly requestPackageName?: string
    /** Of a standard request. */
    readonly requestHash?: string
    /** Of a classic one. */
    readonly nonce?: string
    readonly timestampMillis?: string | number
  }
  readonly appIntegrity?: {
    readonly appRecognitionVerdict?: string
    readonly packageName?: string
    readonly certificateSha256Digest?: readonly string[]
  }
  readonly deviceIntegrity?: { readonly deviceRecognitionVerdict?: readonly string[] }
  readonly accountDetails?: { readonly appLicensingVerdict?: string }
}

export type VerdictRules = Pick<
  AuthOptions,
  | 'playIntegrityLevel'
  | 'playIntegrityUnrecognizedAllowed'
  | 'playIntegrityLicenseRequired'
  | 'attestationChallengeExpiry'
> & {
  /** SHA-256, base64url; empty where any certificate will do that Google knows. */
  readonly certificates: readonly string[]
}

type Expected = { readonly packageName: string; readonly challenge: string; readonly nowMs: number }

/** How far Google's clock and ours may differ. */
const skewMs = 60_000

/**
 * Checks a verdict in the order that Google advises: that it is the answer to our request, then app, device and
 * account.
 *
 * @throws attestation_failed with what is wrong
 */
export function mustBeGenuine(verdict: Verdict, rules: VerdictRules, expected: Expected): Attested {
  mustAnswer(verdict, rules, expected)
  mustBeOurApp(verdict, rules, expected)
  const level = mustMeet(verdict, rules)
  if (rules.playIntegrityLicenseRequired && verdict.accountDetails?.appLicensingVerdict !== 'LICENSED') {
    throw errors.attestationFailed('the account did not get the app from Google Play')
  }
  return { provider: 'play_integrity', appId: expected.packageName, level }
}

function mustAnswer({ requestDetails = {} }: Verdict, rules: VerdictRules, expected: Expected): void {
  const { requestPackageName, requestHash, nonce, timestampMillis } = requestDetails
  if (requestPackageName !== expected.packageName) throw errors.attestationFailed('it is of another app')
  // Some clients fill up base64 with "=".
  const answered = (requestHash ?? nonce ?? '').replace(/=+$/, '')
  if (answered !== expected.challenge) throw errors.attestationFailed('it answers another challenge')
  const ageMs = expected.nowMs - Number(timestampMillis)
  if (!(ageMs >= -skewMs && ageMs <= rules.attestationChallengeExpiry + skewMs)) {
    throw errors.attestationFailed('it is too old, or of the future')
  }
}

function mustBeOurApp({ appIntegrity = {} }: Verdict, rules: VerdictRules, { packageName }: Expected): void {
  const { appRecognitionVerdict: found, certificateSha256Digest: digests = [] } = appIntegrity
  const isAllowed =
    found === 'PLAY_RECOGNIZED' || (found === 'UNRECOGNIZED_VERSION' && rules.playIntegrityUnrecognizedAllowed)
  if (!isAllowed) throw errors.attestationFailed(`Google Play does not recognize the app (${found ?? 'no verdict'})`)
  if (appIntegrity.packageName !== packageName) throw errors.attestationFailed('it is of another app')
  const { certificates } = rules
  if (certificates.length > 0 && !digests.some((digest) => certificates.includes(digest.replace(/=+$/, '')))) {
    throw errors.attestationFailed('the app is signed with another certificate')
  }
}

function mustMeet({ deviceIntegrity = {} }: Verdict, { playIntegrityLevel: least }: VerdictRules): PlayLevel {
  const labels = deviceIntegrity.deviceRecognitionVerdict ?? []
  const level = playLevels.findLast((each) => labels.includes(`MEETS_${each.toUpperCase()}_INTEGRITY`))
  if (level === undefined || playLevels.indexOf(level) < playLevels.indexOf(least as PlayLevel)) {
    throw errors.attestationFailed(`the device does not meet MEETS_${least.toUpperCase()}_INTEGRITY`)
  }
  return level
}
