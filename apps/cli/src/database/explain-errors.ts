import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import { MigrationError } from '@pando/postgres/migrations/migration-error'
import { SqlFileError } from '@pando/postgres/migrations/sql-file-error'

import { Failure, toSentence } from '../failure.ts'

/** Runs `use`; what it says about the user's database or SQL becomes a `Failure` that says what to do. */
export async function explainingErrors<T>(url: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw explain(url, error)
  }
}

function explain(url: string, error: unknown): unknown {
  if (error instanceof SqlFileError) {
    const { file, place, fields } = error
    return new Failure('database', error.report, {
      remedy: `Correct ${file} and try again.`,
      facts: { file, line: place.line, column: place.column, code: fields.code, detail: fields.message },
      cause: error,
    })
  }
  if (error instanceof MigrationError) {
    const { message, code, migrations } = error
    return new Failure('database', toSentence(message), { facts: { code, migrations }, cause: error })
  }
  if (error instanceof PostgresUnavailable) return unusable(url, 'does not answer', error)
  return error instanceof PostgresError && isRefusal(error) ? unusable(url, 'refuses the connection', error) : error
}

/** Classes 28 and 3D, invalid authorization and database name, say that nobody got in. */
const isRefusal = ({ fields }: PostgresError): boolean => /^(28|3D)/.test(fields.code)

/** Says where the database was looked for, without the password. */
function unusable(url: string, why: string, cause: Error): Failure {
  const { host, pathname } = new URL(url)
  const where = `Database "${pathname.slice(1)}" at ${decodeURIComponent(host)}`
  return new Failure('database', `${where} ${why}: ${cause.message}.`, {
    remedy: 'Check that it runs, and the URL: user, password, host, port, database. `pando doctor` looks closer.',
    cause,
  })
}
