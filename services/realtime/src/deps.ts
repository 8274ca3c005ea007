import type { Bus } from '@pando/bus/bus'
import type { Authenticate } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { Database } from '@pando/postgres/database'
import type { Listener, ListenOptions } from '@pando/postgres/listen'
import type { ChangeReader } from '@pando/changes/reader'
import type { RealtimeOptions } from './config.ts'

/** Notices of the database; `@pando/postgres/listen` with its connection. */
export type Listen = (what: Pick<ListenOptions, 'channels' | 'onNotice' | 'onReconnected'>) => Listener

export type RealtimeDeps = {
  readonly authenticate: Authenticate
  /** Tells of each session that ends, so that its channels do. The answer stops it. */
  readonly onSessionEnded: (listener: (sessionId: string) => void) => () => void
  /** As the owner of the schema `realtime`. */
  readonly database: Database
  /** What reads the log of the database, and asks it about rows as `authenticator`; without it there are no changes. */
  readonly changes?: {
    readonly reader: ChangeReader
    readonly database: Pick<Database, 'query' | 'transaction'>
    /** Policies, privileges and tables may be others. The answer stops it. */
    readonly onSchemaChanged: (listener: () => void) => () => void
  }
  /** What the nodes of a deployment tell each other; without it this one is the only one. */
  readonly bus?: Bus
  /** For documents that several nodes have open; without it each hears of the others' edits when somebody joins. */
  readonly listen?: Listen
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly options: RealtimeOptions
}

/** Whom a channel is joined as. */
export type Identity = {
  readonly caller: Caller
  readonly token: string | undefined
  readonly expiresAt: number | undefined
}
