import type { Preferences } from './api-request.ts'

type Known = Omit<Preferences, 'invalid'>

const none: Preferences = Object.freeze({ invalid: [] })

/** Every preference whose values are fixed, as it is written. */
const known: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['resolution=merge-duplicates', { resolution: 'merge-duplicates' }],
  ['resolution=ignore-duplicates', { resolution: 'ignore-duplicates' }],
  ['return=minimal', { return: 'minimal' }],
  ['return=headers-only', { return: 'headers-only' }],
  ['return=representation', { return: 'representation' }],
  ['count=exact', { count: 'exact' }],
  ['count=planned', { count: 'planned' }],
  ['count=estimated', { count: 'estimated' }],
  ['tx=commit', { transaction: 'commit' }],
  ['tx=rollback', { transaction: 'rollback' }],
  ['missing=default', { missing: 'default' }],
  ['missing=null', { missing: 'null' }],
  ['handling=strict', { handling: 'strict' }],
  ['handling=lenient', { handling: 'lenient' }],
])

/**
 * Reads `Prefer` (RFC 7240 §2; several headers are joined by commas). Of a preference that repeats the first counts.
 * Whatever is not understood is collected verbatim in `invalid`; nothing is refused here.
 */
export function parsePreferences(header: string | undefined): Preferences {
  if (header === undefined || header === '') return none
  const found: Known = {}
  const invalid: string[] = []
  for (const piece of header.split(',')) {
    const written = piece.trim()
    const preference = known.get(written) ?? readOpenPreference(written)
    if (preference === undefined) invalid.push(written)
    else Object.assign(found, preference, { ...found })
  }
  return { ...found, invalid }
}

const timezonePrefix = 'timezone='
const maxAffectedPrefix = 'max-affected='

/** A preference that takes any value. A `max-affected` that is no number is understood and means nothing. */
function readOpenPreference(written: string): Known | undefined {
  if (written.startsWith(timezonePrefix)) return { timezone: written.slice(timezonePrefix.length) }
  if (!written.startsWith(maxAffectedPrefix)) return undefined
  const rows = written.slice(maxAffectedPrefix.length)
  return /^-?[0-9]{1,15}$/.test(rows) ? { maxAffected: Number(rows) } : {}
}

/**
 * The preferences that the settings allow: `tx` counts only with an `…-allow-override` transaction end, and a time zone
 * that the server does not know is one more invalid preference.
 */
export function allowedPreferences(
  preferences: Preferences,
  { timezones, allowsTransaction }: { timezones: ReadonlySet<string>; allowsTransaction: boolean },
): Preferences {
  if (preferences.timezone === undefined && preferences.transaction === undefined) return preferences
  const { timezone, transaction, invalid, ...others } = preferences
  const isUnknown = timezone !== undefined && !isTimezone(timezones, timezone)
  return {
    ...others,
    transaction: allowsTransaction ? transaction : undefined,
    timezone: isUnknown ? undefined : timezone,
    invalid: isUnknown ? [...invalid, timezonePrefix + timezone] : invalid,
  }
}

function isTimezone(timezones: ReadonlySet<string>, name: string): boolean {
  if (timezones.has(name)) return true
  const lower = name.toLowerCase()
  for (const known of timezones) if (known.toLowerCase() === lower) return true
  return false
}
