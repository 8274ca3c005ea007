import { createDatabase } from '@pando/postgres/database'
import type { Database, Queries } from '@pando/postgres/database'

import { explainingErrors } from './explain-errors.ts'

/** Lends a transaction on a connection of its own. Throws a `Failure` when the database does not answer. */
export async function withQueries<T>(url: string, use: (queries: Queries) => Promise<T>): Promise<T> {
  const pool = createDatabase({ url, applicationName: 'pando', connectionsMax: 1 })
  try {
    return await explainingErrors(url, () => pool.transaction(use))
  } finally {
    await pool.close()
  }
}

/** Lends connections on which each statement is a transaction of its own and may take as long as it likes. */
export async function withConnections<T>(url: string, use: (connections: Database) => Promise<T>): Promise<T> {
  const pool = createDatabase({ url, applicationName: 'pando', connectionsMax: 2, statementMsMax: 0 })
  try {
    return await explainingErrors(url, () => use(pool))
  } finally {
    await pool.close()
  }
}
