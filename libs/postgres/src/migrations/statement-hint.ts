import type { PostgresErrorFields } from '../errors.ts'

/** What to do about a failed statement where we know more than PostgreSQL; otherwise its own hint. */
export function hintFor(statement: string, { message, hint }: PostgresErrorFields): string | undefined {
  if (/^copy\b[\s\S]*\bfrom\s+stdin\b/i.test(statement)) return copyHint
  const [, absent] = /^extension "(.+)" is not available$/.exec(message) ?? []
  if (absent !== undefined) return absentHint(absent)
  const [, refused] = /^permission denied to create extension "(.+)"$/.exec(message) ?? []
  if (refused !== undefined) return refusedHint(refused)
  const [, other] = /^extension "(.+)" has no installation script nor update path/.exec(message) ?? []
  return other === undefined ? hint : versionHint(other)
}

const copyHint = 'rows that follow a COPY are only known to psql: make the dump with --inserts, or load it by psql'

const absentHint = (extension: string): string =>
  `This PostgreSQL has no extension "${extension}"; the embedded one has those that come with PostgreSQL itself, and pgjwt. ` +
  'Set DATABASE_URL to a PostgreSQL (15 or later) that has it, or take the statement out.'

const versionHint = (extension: string): string =>
  `This PostgreSQL has another version of "${extension}": take \`version …\` out of the statement.`

const refusedHint = (extension: string): string =>
  'Migrations do not run as superuser. On the embedded PostgreSQL they may create extensions that reach no files, ' +
  `programs or other servers; for others set DATABASE_URL to a PostgreSQL whose superuser has created "${extension}".`
