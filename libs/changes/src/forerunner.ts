import { mustParseLsn } from '@pando/postgres/lsn'
import type { Rows } from './replication/connection.ts'

/** Of a server that was promoted: whose log its own goes on from, and up to which place. */
export type Forerunner = {
  /** The server and its timeline. */
  readonly server: string
  /** As Postgres writes it. */
  readonly upTo: string
}

/**
 * Reads the answer to TIMELINE_HISTORY (protocol, "Streaming Replication Protocol"): the timelines before this one, the oldest
 * first, each with the place at which the next one left it.
 */
export function parseForerunners(systemId: string, [row]: Rows): Forerunner[] {
  const lines = row?.[1]?.split('\n') ?? []
  return lines.flatMap((line) => {
    const [, timeline, upTo] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line) ?? []
    return timeline === undefined || upTo === undefined ? [] : [{ server: `${systemId}.${timeline}`, upTo }]
  })
}

/** Whether what is known of the log of `server`, up to `lsn`, is in the log that goes on from there, too. */
export function isGoneOnFrom(forerunner: Forerunner, server: string, lsn: bigint): boolean {
  return forerunner.server === server && lsn <= mustParseLsn(forerunner.upTo)
}
