import { readdirSync, readFileSync } from 'node:fs'
import type { Client } from 'pg'

const houseRoot = new URL('../../../', import.meta.url)

/** The folders in the order in which a database gets them. */
const folders = [
  'libs/postgres/conventions/',
  'services/auth/migrations/',
  'services/storage/migrations/',
  'services/realtime/migrations/',
]

/** Runs every file once, each in one transaction, sorted by name. Keeps no ledger, so a second call runs all again. */
export async function applyConventions(client: Client): Promise<void> {
  for (const file of folders.flatMap(listSqlFiles)) {
    const sql = readFileSync(file, 'utf8')
    try {
      await client.query('begin')
      await client.query(sql)
      await client.query('commit')
    } catch (cause) {
      await client.query('rollback')
      throw new Error(`${file.pathname} failed`, { cause })
    }
  }
}

function listSqlFiles(folder: string): URL[] {
  const location = new URL(folder, houseRoot)
  const names = readdirSync(location).filter((name) => name.endsWith('.sql'))
  if (names.length === 0) throw new Error(`no .sql file in ${location.pathname}`)
  return names.toSorted().map((name) => new URL(name, location))
}
