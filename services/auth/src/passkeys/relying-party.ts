import type { AuthOptions } from '../config.ts'
import type { UserRow } from '../store/users.ts'

/** Who the app is to authenticators (WebAuthn Level 3 §4). */
export type RelyingParty = { readonly id: string; readonly name: string; readonly origins: readonly string[] }

export function toRelyingParty(options: AuthOptions): RelyingParty {
  const site = new URL(options.siteUrl)
  const id = options.webauthnRpId ?? site.hostname
  const origins = options.webauthnRpOrigins.length === 0 ? [site.origin] : options.webauthnRpOrigins
  return { id, name: options.webauthnRpDisplayName ?? id, origins }
}

/** How an authenticator names the person: `id` comes back with each sign-in. */
export function toUserEntity({ id, email, phone, raw_user_meta_data: data }: UserRow) {
  const userName = email ?? phone ?? ''
  const name = data?.['name']
  return {
    userID: new TextEncoder().encode(id),
    userName,
    userDisplayName: typeof name === 'string' && name !== '' ? name : userName,
  }
}
