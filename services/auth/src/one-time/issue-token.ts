import type { Queries } from '@pando/postgres/database'
import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { markSent } from '../store/address-changes.ts'
import { insertOneTimeToken, type TokenKind } from '../store/one-time-tokens.ts'
import { newUuid } from '../uuid.ts'
import { places, type Purpose } from './purposes.ts'
import { hashLongSecret, newCode, newSecret, pkcePrefix } from './secrets.ts'

export type Issue = {
  readonly userId: string
  readonly purpose: Purpose
  /** Where it goes. */
  readonly address: string
  readonly digits: number
  readonly expiryMs: number
  /** Where not the usual place of its purpose: the token for the old address in a change of address. */
  readonly kind?: TokenKind
  /** A code that is fixed by the configuration. */
  readonly code?: string
  /** The flow of an app that waits for a code in exchange. */
  readonly flowId?: string
}

/** What a message holds: digits to type, and a secret for its link. */
export type Issued = { readonly code: string; readonly tokenHash: string }

/** Makes a code and a link token. The older one of the kind is void from now on; the database has only hashes. */
export async function issueToken(deps: AuthDeps, tx: Queries, issue: Issue): Promise<Issued> {
  const { randomBytes, pepper } = deps
  const code = issue.code ?? newCode(randomBytes, issue.digits)
  const tokenHash = `${issue.flowId === undefined ? '' : pkcePrefix}${newSecret(randomBytes)}`
  const { kind, sent } = places[issue.purpose]
  await insertOneTimeToken(tx, {
    id: newUuid(deps),
    userId: issue.userId,
    kind: issue.kind ?? kind,
    purpose: issue.purpose,
    address: issue.address,
    tokenHash: hashLongSecret(tokenHash),
    codeHash: hashCode(pepper, issue.address, code),
    expiryMs: issue.expiryMs,
    flowId: issue.flowId,
  })
  await markSent(tx, issue.userId, sent)
  return { code, tokenHash }
}
