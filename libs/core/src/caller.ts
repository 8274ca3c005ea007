/** The database roles that a request may act as. `authenticator` logs in; these are what it becomes. */
export type DatabaseRole = string

/** The JSON object inside a verified JWT, as Postgres sees it in `request.jwt.claims`. */
export type Claims = {
  readonly role?: string
  readonly sub?: string
  readonly exp?: number
  readonly [claim: string]: unknown
}

/**
 * On whose behalf a request runs: the one value that every service receives and that reaches Postgres.
 *
 * `claimsJson` is the text for `request.jwt.claims`; it is kept beside the parsed claims so that the hot path never
 * serialises. Two requests with the same token share one `Caller` object (it lives in the verification cache).
 */
export type Caller = {
  readonly role: DatabaseRole
  readonly claims: Claims
  readonly claimsJson: string
}
