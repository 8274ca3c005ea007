import path from 'node:path'
import { runSqlFile } from './run-sql-file.ts'
import { withSession, type Notice } from './session.ts'
import { readSqlFile } from './sql-folder.ts'

export type SeedOptions = {
  /** As role `postgres`. */
  readonly url: string
  /** Files in the order in which they run. */
  readonly files: readonly string[]
  /** Errors name files relative to it. Default: by their names alone. */
  readonly root?: string
  readonly onNotice?: (notice: Notice) => void
}

/**
 * Runs seed files, each in one transaction. Rejects with `SqlFileError` when one fails; nothing of that file stays.
 * A seed may be run again only if it is written so.
 */
export async function runSeeds({ url, files, root, onNotice }: SeedOptions): Promise<void> {
  await withSession({ url, onNotice }, async (client) => {
    for (const file of files) {
      const { name, text } = await readSqlFile(file)
      await runSqlFile(client, { name: root === undefined ? name : path.relative(root, file), text })
      await client.query('reset all')
    }
  })
}
