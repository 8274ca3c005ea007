import type { Json, Profile } from './profile.ts'

/** What makes one provider different from the next, as data; `exchange.ts` and `id-token.ts` do the work for all. */
export type Definition = {
  /** What we always ask for. */
  readonly scopes: readonly string[]
  /** False where the provider does not know PKCE (RFC 7636). */
  readonly pkce?: false
  /** How we show our secret (RFC 6749 §2.3.1). */
  readonly clientAuth: 'basic' | 'post'
  /** Whether the answer comes as a form from another site instead of in the address. */
  readonly responseMode?: 'form_post'
  /** Whether there is no usual address. */
  readonly urlRequired?: true
  /** Where to send people and codes; undefined is: where the discovery document of the ID tokens' issuer says. */
  readonly endpoints?: (url: string | undefined) => Endpoints | undefined
  readonly idToken?: IdTokenRules
  /** Where the person is asked for instead of taken from the ID token. */
  readonly api?: ProfileApi
}

export type Endpoints = { readonly authorization: string; readonly token: string }

/** ID tokens (OpenID Connect Core §2). */
export type IdTokenRules = {
  readonly issuer: (url: string | undefined) => string
  /** Further `iss` that mean the same issuer. */
  readonly accepts?: (claims: Json, issuer: string) => boolean
  /** Where the keys are, if not where the discovery document says. */
  readonly jwksUrl?: (url: string | undefined) => string | undefined
  /** False where the provider does not repeat the nonce of a sign-in. */
  readonly nonce?: false
  /** Whether tokens that phones get have the nonce itself instead of its SHA-256. */
  readonly nonceIsPlain?: true
  /**
   * Whether the address in a token is proven; what `email_verified` says if not given. `issuer` is the configured one.
   */
  readonly isEmailVerified?: (claims: Json, issuer: string) => boolean
  /** Claims that go into `custom_claims`. */
  readonly custom?: readonly string[]
}

export type ProfileApi = {
  readonly requests: (given: ApiAccess) => readonly string[]
  readonly headers?: (given: ApiAccess) => Readonly<Record<string, string>>
  /** Makes a profile of the answers, in the order of the requests. */
  readonly toProfile: (answers: readonly unknown[], issuer: string) => Profile
}

export type ApiAccess = {
  readonly url: string | undefined
  readonly accessToken: string
  readonly clientId: string
  readonly secret: string
}

/** The configured address, else the usual one; without a slash at the end. */
export const hostOf = (url: string | undefined, usual: string): string => (url ?? `https://${usual}`).replace(/\/$/, '')
