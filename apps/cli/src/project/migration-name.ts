import { Failure } from '../failure.ts'

const nameMax = 100

/**
 * The file name of a new migration: `20260131094500_add_trips.sql`, time in UTC. Words are joined by `_`; other
 * characters are refused rather than guessed, because the name stays for good.
 */
export function toMigrationFileName(name: string, now: Date): string {
  const words = name
    .trim()
    .replace(/\.sql$/i, '')
    .split(/[\s_-]+/)
    .filter((word) => word !== '')
  const joined = words.join('_').toLowerCase()
  if (!/^[\p{Ll}\p{Lo}\p{Nd}_]+$/u.test(joined) || joined.length > nameMax) {
    throw new Failure('usage', `"${name}" is not a name for a migration.`, {
      remedy: `Use letters, digits and blanks, at most ${nameMax}, for example: pando migrate new "add trips"`,
    })
  }
  return `${toTimestamp(now)}_${joined}.sql`
}

/** `YYYYMMDDHHMMSS` in UTC. */
export function toTimestamp(now: Date): string {
  return now.toISOString().replace(/\D/g, '').slice(0, 14)
}
