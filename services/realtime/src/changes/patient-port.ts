import { PostgresUnavailable } from '@pando/postgres/errors'
import type { ChangesObservation, ChangesPort } from './deps.ts'

/** The log has the transaction that was asked about, and Postgres does not show it to others yet: it will in a moment. */
export class TooEarly extends Error {
  constructor() {
    super('a transaction that was asked about is not visible yet')
    this.name = 'TooEarly'
  }
}

const pauseMs = 2
const pauseMsMax = 1_000
/** Ten seconds in all: what others do not see by then was lost with the server that had it, or waits for a standby. */
const earlyAttemptsMax = 18

/**
 * Asks Postgres again for as long as it is away, so that who waits for an answer gets it late and in order. How much may
 * wait meanwhile is for those to say who ask. Rejects with `TooEarly` when a transaction is not seen in ten seconds.
 */
export function createPatientPort(
  port: ChangesPort,
  observe: (observation: ChangesObservation) => void,
): Pick<ChangesPort, 'findTable' | 'listPublished' | 'mustSee' | 'checkRows' | 'readAccess'> {
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask()
      } catch (error) {
        const isAway = error instanceof PostgresUnavailable
        if (!isAway && !(error instanceof TooEarly && attempt < earlyAttemptsMax)) throw error
        if (isAway && attempt === 0) observe({ kind: 'waiting', error })
        await sleep(Math.min(pauseMsMax, pauseMs * 2 ** Math.min(attempt, 16)))
      }
    }
  }
  return {
    findTable: (schema, table, role) => patiently(() => port.findTable(schema, table, role)),
    listPublished: () => patiently(port.listPublished),
    mustSee: (xids) => patiently(() => port.mustSee(xids)),
    checkRows: (questions) => patiently(() => port.checkRows(questions)),
    readAccess: () => patiently(port.readAccess),
  }
}

/** Keeps no process alive. */
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())
