import { runSqlFile } from './run-sql-file.ts'
import { withSession, type Notice } from './session.ts'
import { readSqlFile } from './sql-folder.ts'

export type SeedOptions = {
  /** As role `postgres`. */
  readonly url: string
  /** Files in the order in which they run. */
  readonly files: readonly string[]
  readonly onNotice?: (notice: Notice) => void
}

/**
 * Runs seed files, each in one transaction. Rejects with `SqlFileError` when one fails; nothing of that file stays.
 * A seed may be run again only if it is written so.
 */
export async function runSeeds({ url, files, onNotice }: SeedOptions): Promise<void> {
  await withSession({ url, onNotice }, async (client) => {
    for (const file of files) {
      await runSqlFile(client, await readSqlFile(file))
      await client.query('reset all')
    }
  })
}
