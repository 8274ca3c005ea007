import { hashSync, verifySync } from '@node-rs/argon2'
import { verifySync as verifyBcrypt } from '@node-rs/bcrypt'
import { verifyFirebaseScrypt } from './firebase-scrypt.ts'

/** Cost of argon2id (RFC 9106): KiB of memory, passes over it, lanes. */
export type Cost = { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number }

export type HashJob = { readonly name: 'hash'; readonly password: string; readonly cost: Cost }
export type VerifyJob = {
  readonly name: 'verify'
  readonly password: string
  readonly hash: string | undefined
  readonly cost: Cost
}

/** Runs in a thread of its own, therefore at once and not in Node's own pool, which has to stay free for others. */
export function hash({ password, cost }: HashJob): string {
  return hashSync(password, cost)
}

export function verify({ password, hash: known, cost }: VerifyJob): { ok: boolean; outdated: boolean } {
  // Nobody may learn from the time that there is no such account.
  if (known === undefined) return { ok: hashSync(password, cost) === '', outdated: false }
  const ok = matches(password, known)
  return { ok, outdated: ok && !known.startsWith(todaysPrefix(cost)) }
}

function matches(password: string, known: string): boolean {
  try {
    if (known.startsWith('$argon2')) return verifySync(known, password)
    if (known.startsWith('$fbscrypt$')) return verifyFirebaseScrypt(password, known)
    return verifyBcrypt(password, known)
  } catch {
    // A hash that cannot be read opens nothing.
    return false
  }
}

const todaysPrefix = ({ memoryCost, timeCost, parallelism }: Cost): string =>
  `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`
