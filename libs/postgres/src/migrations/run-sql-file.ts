import type { Client } from 'pg'
import { PostgresError } from '../errors.ts'
import { toPostgresFailure } from '../failure.ts'
import { leadingWords, splitStatements, type SqlStatement } from './split-statements.ts'
import { SqlFileError, type SqlFile } from './sql-file-error.ts'
import { hintFor } from './statement-hint.ts'

/**
 * Runs a file, and `record` after it in the same transaction. Rejects with `SqlFileError`; then nothing of it is
 * applied.
 *
 * Exception: a file with a statement that PostgreSQL refuses inside a transaction (`create index concurrently`,
 * `vacuum`, …, a `rollback` of its own), or that uses an enum value it has just added, runs statement by statement.
 * What precedes the failing one then stays, and `statementsKept` counts it. Such a file should hold that statement
 * alone.
 */
export async function runSqlFile(client: Client, file: SqlFile, record: () => Promise<void> = nothing): Promise<void> {
  const statements = splitStatements(file.text)
  if (statements.some(({ text }) => needsNoTransaction(text)))
    return await runOneByOne(client, file, { statements, record })
  try {
    await runInTransaction(client, file, { statements, record })
  } catch (error) {
    if (!(error instanceof SqlFileError && error.fields.code === unsafeUseOfNewEnumValue)) throw error
    await runOneByOne(client, file, { statements, record })
  }
}

type Run = { readonly statements: readonly SqlStatement[]; readonly record: () => Promise<void> }

const unsafeUseOfNewEnumValue = '55P04'
const nothing = (): Promise<void> => Promise.resolve()

async function runInTransaction(client: Client, file: SqlFile, { statements, record }: Run): Promise<void> {
  await run(client, 'begin')
  try {
    for (const statement of statements) {
      // The file's own bracket around everything is ours already.
      if (!isTransactionBracket(statement.text)) await runStatement(client, file, { statement, statementsKept: 0 })
    }
    await run(client, 'reset role')
    await record()
    await commit(client, file, statements)
  } catch (error) {
    await client.query('rollback').catch(nothing)
    throw error
  }
}

async function runOneByOne(client: Client, file: SqlFile, { statements, record }: Run): Promise<void> {
  for (const [statementsKept, statement] of statements.entries()) {
    try {
      await runStatement(client, file, { statement, statementsKept })
    } catch (error) {
      await client.query('rollback').catch(nothing)
      throw error
    }
  }
  // The file's own `begin` without an end: as above, the end of the file is one.
  if (client.getTransactionStatus() !== 'I') await run(client, 'commit')
  await run(client, 'reset role')
  await record()
}

/** Deferred constraints are checked here; then no statement is to blame, and the last one is shown. */
async function commit(client: Client, file: SqlFile, statements: readonly SqlStatement[]): Promise<void> {
  const statement = { text: 'commit', offset: statements.at(-1)?.offset ?? 0 }
  await runStatement(client, file, { statement, statementsKept: 0 })
}

async function run(client: Client, text: string): Promise<void> {
  await client.query(text).catch((error: unknown) => {
    throw toPostgresFailure(error, { sent: true })
  })
}

async function runStatement(
  client: Client,
  file: SqlFile,
  { statement, statementsKept }: { statement: SqlStatement; statementsKept: number },
): Promise<void> {
  try {
    await client.query(statement.text)
  } catch (error) {
    const failure = toPostgresFailure(error, { sent: true })
    if (!(failure instanceof PostgresError)) throw failure
    const fields = { ...failure.fields, hint: hintFor(statement.text, failure.fields) }
    throw new SqlFileError({ file, statement, fields, statementsKept, cause: error })
  }
}

function isTransactionBracket(text: string): boolean {
  const [first, second = ''] = leadingWords(text, 3)
  if (first === 'start') return second === 'transaction'
  return (first === 'begin' || first === 'commit' || first === 'end') && second !== 'prepared'
}

/**
 * By the first words alone: the statements whose reference pages say that they cannot run inside a transaction block.
 */
export function needsNoTransaction(text: string): boolean {
  const words = leadingWords(text)
  const starts = (...wanted: string[]): boolean => wanted.every((word, index) => words[index] === word)
  if (starts('vacuum') || starts('rollback') || starts('abort')) return !words.includes('to')
  if (words[0] === 'cluster' || starts('prepare', 'transaction')) return words.length === 1 || starts('prepare')
  if (starts('commit', 'prepared') || starts('alter', 'system')) return true
  const [verb, kind] = words
  if (verb === 'create' || verb === 'drop') {
    if (kind === 'index' || starts('create', 'unique', 'index')) return words.includes('concurrently')
    return kind === 'database' || kind === 'tablespace' || kind === 'subscription'
  }
  if (verb === 'reindex') return /\bconcurrently\b/i.test(text) || ['database', 'schema', 'system'].includes(kind ?? '')
  if (starts('alter', 'database')) return /\bset\s+tablespace\b/i.test(text)
  if (starts('alter', 'table')) return /\bdetach\s+partition\b[\s\S]*\bconcurrently\b/i.test(text)
  return false
}
