import type { Authenticate } from '@pando/core/authenticate'
import type { Clock } from '@pando/core/clock'
import type { TokenSigner } from '@pando/http/auth/token-signer'
import type { Database } from '@pando/postgres/database'
import type { Attestation } from './attestation/create-attestation.ts'
import type { CheckCaptcha } from './captcha/create-captcha.ts'
import type { AuthOptions } from './config.ts'
import type { Delivery } from './delivery/create-delivery.ts'
import type { Hooks } from './hooks/hooks.ts'
import type { Limits } from './limits/limits.ts'
import type { IsBreached } from './passwords/create-breach-check.ts'
import type { Passwords } from './passwords/passwords.ts'
import type { Providers } from './providers/provider.ts'
import type { SecretBox } from './secret-box.ts'

/** Everything the auth service needs from outside. */
export type AuthDeps = Pick<Delivery, 'mustDeliver' | 'sendMail' | 'sendNotice' | 'sendText' | 'verifyText'> & {
  /** Tells of any token that is genuine; whether its session goes on is looked up here. */
  readonly authenticate: Authenticate
  /** As `supabase_auth_admin`, who owns the schema. */
  readonly database: Database
  readonly clock: Clock
  /** Cryptographically strong. */
  readonly randomBytes: (bytes: number) => Buffer
  readonly signer: TokenSigner
  readonly passwords: Passwords
  /** Not there while the check is off. */
  readonly isBreached?: IsBreached
  /** Not there while captchas are off. */
  readonly checkCaptcha?: CheckCaptcha
  /** Who may vouch for devices. */
  readonly attestation: Attestation
  readonly limits: Limits
  readonly hooks: Hooks
  /** Where else people may sign in. */
  readonly providers: Providers
  /** For secrets that are read again. */
  readonly secretBox: SecretBox
  /** Key of the hashes of short codes; not in the database. */
  readonly pepper: Buffer
  /** The API's address as apps reach it, without a slash at the end; known once the listener is open. */
  readonly apiUrl: () => string
  readonly options: AuthOptions
}
