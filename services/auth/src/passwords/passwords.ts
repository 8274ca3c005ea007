/** Hashes and checks passwords away from the event loop, in a bounded queue. */
export type Passwords = {
  /** A hash to store, in PHC string format. Rejects with a refusal (503, `Retry-After`) when too many wait. */
  hash(password: string): Promise<string>
  /**
   * Whether a password belongs to a stored hash (argon2, bcrypt, Firebase's scrypt). `outdated` says that the hash should be
   * made anew, with today's parameters. Without a hash it takes as long and is never right.
   */
  verify(password: string, hash: string | undefined): Promise<{ readonly ok: boolean; readonly outdated: boolean }>
  close(): Promise<void>
}
