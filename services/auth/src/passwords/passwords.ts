/** Hashes and checks passwords away from the event loop, for a bounded number of requests at once. */
export type Passwords = {
  /** Whether so few are in that another one would not wait too long. */
  hasRoom(): boolean
  /** Lets a request in that is going to hash; rejects with a refusal (503, `Retry-After`) when there is no room. */
  admit<T>(use: () => Promise<T>): Promise<T>
  /** A hash to store, in PHC string format. */
  hash(password: string): Promise<string>
  /**
   * Whether a password belongs to a stored hash (argon2, bcrypt, Firebase's scrypt). `outdated` says that the hash should be
   * made anew, with today's parameters. Without a hash it takes as long and is never right.
   */
  verify(password: string, hash: string | undefined): Promise<{ readonly ok: boolean; readonly outdated: boolean }>
  close(): Promise<void>
}
