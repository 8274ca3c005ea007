import type { Clock } from '@pando/core/clock'
import type { Queries } from '@pando/postgres/database'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { ChangesValues } from './config.ts'
import type { Log } from './log.ts'
import type { Observe } from './observation.ts'
import type { Relay } from './relay/relay.ts'

/** Everything that reading the slot needs, on whichever connection. */
export type SlotReading = {
  readonly clock: Clock
  readonly observe: Observe
  readonly url: ServerUrl
  readonly applicationName: string
  readonly limits: ChangesValues
  readonly publications: readonly string[]
  /** The ordinary connection. */
  readonly queries: Queries
  readonly slot: string
  readonly log: Log
  /** To the other processes, where there may be some. */
  readonly relay: Relay | undefined
}

/** `busy`: somebody else reads the slot. `again`: reading must begin anew. */
export type Outcome = 'busy' | 'again'
