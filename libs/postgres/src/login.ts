import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { quoteLiteral, quoteName } from './quote.ts'

/** The same server as `url`, by another login or in another database. */
export function loginUrl(
  url: string,
  changes: { readonly role?: string; readonly password?: string; readonly database?: string },
): string {
  const changed = new URL(url)
  if (changes.role !== undefined) changed.username = encodeURIComponent(changes.role)
  if (changes.password !== undefined) changed.password = encodeURIComponent(changes.password)
  if (changes.database !== undefined) changed.pathname = `/${encodeURIComponent(changes.database)}`
  return changed.href
}

type Runner = { query(text: string): Promise<unknown> }

/**
 * Sets a role's password. Only its SCRAM verifier travels, so the password appears neither in the server's log nor in
 * pg_stat_statements. The role must exist and may have to be allowed to log in.
 */
export async function setPassword(client: Runner, role: string, password: string): Promise<void> {
  const verifier = scramVerifier(password, randomBytes(16))
  await client.query(`alter role ${quoteName(role)} password ${quoteLiteral(verifier)}`)
}

const iterations = 4096

/**
 * What PostgreSQL stores for a password (RFC 5803 with SCRAM-SHA-256). The password must be ASCII: SASLprep is left
 * out.
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}
