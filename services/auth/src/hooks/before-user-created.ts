import type { AuthDeps } from '../deps.ts'
import type { AccountKey } from '../new-account.ts'
import { findUser } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'

/** An account that somebody wants to make. */
export type Applicant = {
  readonly id: string
  readonly email?: string
  readonly phone?: string
  /** How it will be signed in to; none for somebody anonymous. */
  readonly providers: readonly string[]
  readonly appMetadata?: Readonly<Record<string, unknown>>
  readonly userMetadata?: Readonly<Record<string, unknown>>
}

/**
 * Asks the hook whether an account may be made, outside any transaction.
 *
 * @throws what the hook says
 */
export async function mayBeCreated(
  { hooks, clock }: Pick<AuthDeps, 'hooks' | 'clock'>,
  visit: Visit,
  { id, email = '', phone = '', providers, appMetadata = {}, userMetadata = {} }: Applicant,
): Promise<void> {
  if (hooks.beforeUserCreated === undefined) return
  const now = new Date(clock.now()).toISOString()
  const user = {
    id,
    aud: 'authenticated',
    role: '',
    email,
    phone,
    app_metadata: { ...(providers.length === 0 ? {} : { provider: providers[0], providers }), ...appMetadata },
    user_metadata: userMetadata,
    identities: [],
    created_at: now,
    updated_at: now,
    is_anonymous: providers.length === 0,
  }
  await hooks.beforeUserCreated({ user }, { address: visit.address })
}

/**
 * For requests that make an account if there is none for an address: asks the hook when there is none. Fulfils with the
 * id that the account will have.
 *
 * @throws what the hook says
 */
export async function mayBeNew(
  deps: Pick<AuthDeps, 'hooks' | 'clock' | 'database' | 'randomBytes'>,
  visit: Visit,
  { key, data }: { readonly key: AccountKey; readonly data?: Readonly<Record<string, unknown>> },
): Promise<string> {
  const id = newUuid(deps)
  if (deps.hooks.beforeUserCreated === undefined || (await findUser(deps.database, key)) !== undefined) return id
  const providers = ['email' in key ? 'email' : 'phone']
  await mayBeCreated(deps, visit, { id, ...key, providers, userMetadata: data })
  return id
}
