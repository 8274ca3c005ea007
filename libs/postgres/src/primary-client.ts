import { Client, type ClientConfig } from 'pg'
import { PostgresUnavailable } from './errors.ts'
import { noteStandby } from './pipeline/open-session.ts'

/** A connection of a pool to where the primary is when it is made. */
export abstract class PrimaryClient extends Client {
  readonly #url: string
  readonly #currentUrl: () => string
  readonly #isStandby: () => boolean

  constructor(config: ClientConfig | undefined, currentUrl: () => string) {
    const url = currentUrl()
    super({ ...config, connectionString: url })
    this.#url = url
    this.#currentUrl = currentUrl
    this.#isStandby = noteStandby(this)
  }

  /** Whether the primary is still where this connection leads. */
  isInPlace(): boolean {
    return this.#url === this.#currentUrl()
  }

  /** Throws when the server, which has just let us in, is in recovery. */
  mustTakeWrites(): void {
    if (!this.#isStandby()) return
    const message = 'Postgres cannot be reached: the server is in recovery and takes no writes'
    throw new PostgresUnavailable('connection', message, { sent: false })
  }
}
