import type { Caller } from './caller.ts'

/** What a request shows of itself, as it came from the wire. */
export type Credentials = {
  /** `Authorization` header. */
  readonly authorization?: string
  /** `apikey` header, or the query parameter of that name. */
  readonly apikey?: string
}

/**
 * Tells who calls. Answers at once when the token's verification is cached, otherwise later. Throws (or rejects with) a
 * `Refusal` whose code is one of `token.malformed`, `token.invalid` (signature, algorithm, unknown key, ended session),
 * `token.expired`, `token.claims` (not yet valid, wrong audience, role missing) or `key.unknown`, with status 401; or
 * `token.keys_unavailable` with 503 when the keys of a third-party issuer cannot be had, so that nobody is signed out by
 * somebody else's outage.
 */
export type Authenticate = (credentials: Credentials) => Caller | Promise<Caller>
