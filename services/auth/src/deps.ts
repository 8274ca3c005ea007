import type { Authenticate } from '@pando/core/authenticate'
import type { Clock } from '@pando/core/clock'
import type { TokenSigner } from '@pando/http/auth/token-signer'
import type { Database } from '@pando/postgres/database'
import type { AuthOptions } from './config.ts'
import type { Passwords } from './passwords/passwords.ts'

/** Everything the auth service needs from outside. */
export type AuthDeps = {
  readonly authenticate: Authenticate
  /** As `supabase_auth_admin`, who owns the schema. */
  readonly database: Database
  readonly clock: Clock
  /** Cryptographically strong. */
  readonly randomBytes: (bytes: number) => Buffer
  readonly signer: TokenSigner
  readonly passwords: Passwords
  /** The API's address as apps reach it, without a slash at the end; known once the listener is open. */
  readonly apiUrl: () => string
  readonly options: AuthOptions
}
