import { createAssembler } from './assembler.ts'
import type { ReplicationConnection, StreamSink } from './replication/connection.ts'
import type { SlotReading } from './slot-reading.ts'

type SinkPlan = {
  readonly typeNames: ReadonlyMap<number, string>
  /** Where the log ended when reading began. */
  readonly end: bigint
  readonly onCaughtUp: () => void
}

/** Makes the log out of what the connection brings. */
export function createStreamSink(
  { log, limits }: SlotReading,
  connection: ReplicationConnection,
  { typeNames, end, onCaughtUp }: SinkPlan,
): StreamSink {
  let isBehind = true
  const reached = (): void => {
    if (!isBehind || log.window.reachedLsn < end) return
    isBehind = false
    onCaughtUp()
  }
  const assembler = createAssembler(
    { typeNames, transactionBytesMax: limits.transactionBytesMax },
    {
      committed: (transaction, endLsn) => {
        log.append(transaction, endLsn)
        reached()
      },
      tooLarge: (_lsn, endLsn, relations) => {
        log.reset('a transaction was larger than changes.transaction_bytes_max', { lsn: endLsn, relations })
        reached()
      },
      empty: (endLsn) => {
        log.reach(endLsn)
        reached()
      },
    },
  )
  return {
    message: assembler.take,
    oversized: assembler.takeOversized,
    keepalive: (walEnd, wantsReply) => {
      // Inside of a transaction the place that the server names may lie behind changes that are still to come.
      if (!assembler.isOpen()) log.reach(walEnd)
      if (wantsReply) connection.sendStatus({ writtenLsn: log.window.reachedLsn, confirmedLsn: 0n, wantsReply: false })
      reached()
    },
  }
}
