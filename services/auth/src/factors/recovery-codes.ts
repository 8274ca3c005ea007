import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { countRecoveryCodes, replaceRecoveryCodes } from '../store/recovery-codes.ts'
import { hasVerifiedFactor } from '../user.ts'
import type { SignedInVisit } from '../visit.ts'

const codesCount = 10
/** 50 bits. */
const codeLength = 10
/** Crockford's: without letters that look like others or make words. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * `POST /factors/recovery_codes`: ten codes, shown this once, each of which stands in for a factor once. Older ones are
 * void.
 */
export async function makeRecoveryCodes(deps: AuthDeps, { user, address }: SignedInVisit): Promise<Answer> {
  if (!hasVerifiedFactor(user)) throw errors.factorNotVerified()
  const codes = Array.from({ length: codesCount }, () => newRecoveryCode(deps))
  const hashes = codes.map((code) => hashCode(deps.pepper, user.id, toRecoveryCode(code)!))
  await deps.database.transaction(async (tx) => {
    await replaceRecoveryCodes(tx, user.id, hashes)
    await insertAuditEvent(tx, { action: 'recovery_codes_created', actor: user, address })
  })
  return { status: 200, body: { codes }, headers: { 'cache-control': 'no-store' } }
}

/** `GET /factors/recovery_codes`: how many are left. */
export async function getRecoveryCodes({ database }: AuthDeps, { user }: SignedInVisit): Promise<Answer> {
  return { status: 200, body: { remaining: await countRecoveryCodes(database, user.id) } }
}

function newRecoveryCode({ randomBytes }: AuthDeps): string {
  const letters = [...randomBytes(codeLength)].map((byte) => alphabet[byte % alphabet.length])
  return `${letters.slice(0, 5).join('')}-${letters.slice(5).join('')}`
}

/** What somebody typed, in the one form that is hashed; undefined when it cannot be a recovery code. */
export function toRecoveryCode(typed: string): string | undefined {
  const code = typed.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1')
  return code.length === codeLength && [...code].every((letter) => alphabet.includes(letter)) ? code : undefined
}
