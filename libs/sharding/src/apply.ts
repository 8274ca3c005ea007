import type { Database } from '@pando/postgres/database'
import type { ShardStatement } from './statements.ts'

const preparations = [
  // Otherwise Citus puts another table in the place of each that points at a reference table, until it is its turn, and
  // functions over the rows of the old one are lost. A plan lets no such table stay behind.
  'set citus.enable_local_reference_table_foreign_keys to off',
  // Otherwise a table with rows and foreign keys is refused: its shards would be made over several connections at once.
  `set citus.multi_shard_modify_mode to 'sequential'`,
]

/**
 * Runs statements, each in a transaction of its own, and tells of each that is done; then nodes read the catalogue anew.
 * After a failure, or a stop at any point, a new plan has what is left.
 */
export async function applyStatements(
  database: Database,
  statements: readonly ShardStatement[],
  onDone: (statement: ShardStatement) => void,
): Promise<void> {
  try {
    await database.withClient(async (client) => {
      for (const setting of preparations) await client.query(setting)
      for (const statement of statements) {
        await client.query(statement.text)
        onDone(statement)
      }
    })
  } finally {
    await database.query(`notify pgrst, 'reload schema'`)
  }
}
