import { createDatabase, type Queries } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'
import { loginUrl } from '@pando/postgres/login'
import { escapeIdentifier } from 'pg'

import { Failure } from '../failure.ts'
import { explainingErrors } from './explain-errors.ts'
import type { Database } from './open-database.ts'

/**
 * Drops the database with everything in it and makes an empty one of the same name. Sessions in it are ended; a server
 * that uses it connects again by itself. Roles belong to the whole server and stay.
 */
export async function recreateDatabase({ adminUrl, isEmbedded }: Database): Promise<void> {
  const name = decodeURIComponent(new URL(adminUrl).pathname.slice(1))
  // One cannot drop the database one is in.
  const url = loginUrl(adminUrl, { database: name === 'template1' || name === 'postgres' ? 'template1' : 'postgres' })
  const owner = isEmbedded ? ' owner postgres' : ''
  const pool = createDatabase({ url, applicationName: 'pando', connectionsMax: 1, statementMsMax: 0 })
  try {
    await explainingErrors(url, async () => {
      // None of these runs inside a transaction.
      await dropDatabase(pool, name)
      await pool.query(`create database ${escapeIdentifier(name)}${owner} template template0`)
    })
  } catch (error) {
    throw error instanceof PostgresError ? toFailure(name, error) : error
  } finally {
    await pool.close()
  }
}

/** Whoever reads its log is ended, and kept from coming back: `force` ends all others, and not that one. */
async function dropDatabase(queries: Queries, name: string): Promise<void> {
  const database = escapeIdentifier(name)
  const [found] = await queries.query('select from pg_catalog.pg_database where datname = $1', [name])
  if (found === undefined) return
  await queries.query(`alter database ${database} allow_connections false`)
  try {
    await queries.query(endReaders, [name, readerEndMs])
    await queries.query(`drop database ${database} with (force)`)
  } catch (error) {
    await queries.query(`alter database ${database} allow_connections true`)
    throw error
  }
}

const endReaders = `
  select pg_catalog.pg_terminate_backend(active_pid, $2)
  from pg_catalog.pg_replication_slots where database = $1 and active`
const readerEndMs = 5_000

const toFailure = (name: string, cause: PostgresError): Failure =>
  new Failure('database', `Database "${name}" could not be made anew: ${cause.message}.`, {
    remedy: 'The user of the URL must own the database and may create databases (alter role … createdb).',
    facts: { code: cause.fields.code },
    cause,
  })
