import { nearestName } from './nearest.ts'
import type { EnumOption, ListOption, Option, SecretOption, StringOption, TablesOption, UrlOption } from './option.ts'
import { words } from './options.ts'
import { secretOf } from './secret.ts'

/** A value, or the mistake in words that follow the option's name: "must be …". */
export type Parsed = { readonly value: unknown } | { readonly mistake: string }

const durationUnits: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const bytesUnits: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** Reads what a file, a variable or a flag says for `option`; `raw` is text except from a file. */
export function parseOption(option: Option, raw: unknown): Parsed {
  switch (option.type) {
    case 'string':
      return parseString(option, raw)
    case 'integer':
      return withinBounds(option, raw, /^-?\d+$/.test(textOf(raw)) ? Number(raw) : Number.NaN, 'a whole number')
    case 'number':
      return withinBounds(option, raw, toNumber(textOf(raw)), 'a number')
    case 'duration':
      return withinBounds(
        option,
        raw,
        scaled(raw, durationUnits, option.unit ?? 'ms'),
        'a duration such as 250ms, 30s, 5m, 2h or 7d',
      )
    case 'bytes':
      return withinBounds(option, raw, scaled(raw, bytesUnits, 'b'), 'a size such as 65536, 64kb, 50mb or 1gb')
    case 'boolean':
      return parseBoolean(raw)
    case 'enum':
      return parseEnum(option, raw)
    case 'list':
      return parseList(option, option.pairs ? toPairs(raw) : raw)
    case 'secret':
      return parseSecret(option, raw)
    case 'url':
      return parseUrl(option, raw)
    case 'tables':
      return parseTables(option, raw)
  }
}

/** The text of a single value; a file may also hold tables and arrays, which are none. */
function textOf(raw: unknown): string {
  return typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean' ? String(raw).trim() : ''
}

function toNumber(text: string): number {
  return text === '' ? Number.NaN : Number(text)
}

function mustBe(what: string, raw: unknown): Parsed {
  return { mistake: `must be ${what}, but is ${JSON.stringify(raw)}` }
}

/** One number with a unit, or several in a row (`1h30m`). */
function scaled(raw: unknown, units: Record<string, number>, bare: string): number {
  const text = textOf(raw)
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.round(Number(text) * units[bare]!)
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)]
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text
  const sum = parts.reduce(
    (total, [, count, unit]) => total + Number(count) * (units[unit!.toLowerCase()] ?? Number.NaN),
    0,
  )
  return isWhole ? Math.round(sum) : Number.NaN
}

type Bounded = { readonly type: string; readonly min?: number; readonly max?: number }

function withinBounds(option: Bounded, raw: unknown, value: number, what: string): Parsed {
  if (!Number.isFinite(value) || (option.type !== 'number' && !Number.isSafeInteger(value))) return mustBe(what, raw)
  if (option.min !== undefined && value < option.min) return mustBe(`at least ${bound(option, option.min)}`, raw)
  if (option.max !== undefined && value > option.max) return mustBe(`at most ${bound(option, option.max)}`, raw)
  return { value }
}

function bound(option: Bounded, value: number): string {
  return option.type === 'duration' || option.type === 'bytes' ? formatOption(option.type, value) : String(value)
}

function parseBoolean(raw: unknown): Parsed {
  const text = textOf(raw).toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(text)) return { value: true }
  if (['false', '0', 'no', 'off'].includes(text)) return { value: false }
  return mustBe('true or false', raw)
}

function parseEnum(option: EnumOption, raw: unknown): Parsed {
  if (typeof raw === 'string' && option.values.includes(raw)) return { value: raw }
  return mustBe(`one of ${option.values.join(', ')}`, raw)
}

/** A table of texts as `name=value`; all else as it is. */
function toPairs(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw
  return Object.entries(raw).map(([name, value]) => (typeof value === 'string' ? `${name}=${value}` : value))
}

function parseString({ refuse }: StringOption, raw: unknown): Parsed {
  if (typeof raw !== 'string') return mustBe('text', raw)
  const mistake = refuse?.(raw)
  return mistake === undefined ? { value: raw } : { mistake: `${mistake}, but is ${JSON.stringify(raw)}` }
}

function parseList({ refuse }: ListOption, raw: unknown): Parsed {
  const items = toItems(raw)
  if (items === undefined) return mustBe('a list of texts', raw)
  const mistake = refuse?.(items)
  return mistake === undefined ? { value: items } : { mistake }
}

function toItems(raw: unknown): readonly string[] | undefined {
  if (Array.isArray(raw) && raw.every((item) => typeof item === 'string')) return raw
  if (typeof raw !== 'string') return undefined
  return raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A secret's mistake never shows the value. */
function parseSecret(option: SecretOption, raw: unknown): Parsed {
  if (typeof raw !== 'string' || raw === '') return { mistake: 'must be text that is not empty' }
  const bytes = Buffer.byteLength(raw)
  if (bytes < (option.bytesMin ?? 1))
    return { mistake: `must have at least ${option.bytesMin} bytes, but has ${bytes}` }
  return { value: secretOf(raw) }
}

/** A URL may carry a password, so its mistake does not show the value either. */
function parseUrl(option: UrlOption, raw: unknown): Parsed {
  const schemes = option.schemes ?? ['http', 'https']
  const url = typeof raw === 'string' ? URL.parse(raw) : null
  if (url !== null && schemes.includes(url.protocol.slice(0, -1))) return { value: raw }
  return { mistake: `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}` }
}

/** The name of a table's member as people write it: `jwks_url`. */
export const memberName = (name: string): string => words(name).join('_')

type Table = Readonly<Record<string, unknown>>
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** All mistakes of all tables are told; a table is named by its place, the first one is 1. */
function parseTables({ members }: TablesOption, raw: unknown): Parsed {
  const tables = typeof raw === 'string' ? parseJson(raw) : raw
  if (!Array.isArray(tables) || !tables.every(isTable))
    return { mistake: 'must be tables, in a variable or flag a JSON array of objects' }
  const mistakes: string[] = []
  const value = tables.map((table, index) =>
    parseTable(members, table, (mistake) => mistakes.push(`${mistake} in table ${index + 1}`)),
  )
  return mistakes.length === 0 ? { value } : { mistake: `must be right: ${mistakes.join('; ')}` }
}

function parseTable(members: TablesOption['members'], table: Table, report: (mistake: string) => void): Table {
  strangersOf(table, members).forEach(report)
  const parsed = Object.entries(members).map(([name, member]) => {
    const written = memberName(name)
    if (!Object.hasOwn(table, written)) {
      if (member.required) report(`${written} is missing`)
      return [name, member.default]
    }
    const found = parseOption(member, table[written])
    if ('value' in found) return [name, found.value]
    report(`${written} ${found.mistake}`)
    return [name, member.default]
  })
  return Object.fromEntries(parsed) as Table
}

function strangersOf(table: Table, members: TablesOption['members']): string[] {
  const known = Object.keys(members).map(memberName)
  return Object.keys(table)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearestName(name, known)
      return `${name} is unknown${near === undefined ? '' : ` (perhaps you meant ${near})`}`
    })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Writes a value the way a person would type it: `30s`, `64kb`, `a,b`. Secrets are masked. */
export function formatOption(type: Option['type'], value: unknown): string {
  if (value === null) return ''
  if (type === 'secret') return '[secret]'
  if (type === 'list') return (value as readonly string[]).join(',')
  if (type === 'tables') return (value as readonly unknown[]).length === 0 ? '' : JSON.stringify(value)
  if (type === 'duration') return largestUnit(value as number, durationUnits, 'ms')
  if (type === 'bytes') return largestUnit(value as number, bytesUnits, 'b').replace(/(?<=\d)b$/, '')
  return String(value)
}

function largestUnit(value: number, units: Record<string, number>, smallest: string): string {
  const fitting = Object.entries(units).filter(([, factor]) => value % factor === 0 && value >= factor)
  return `${value / (fitting.at(-1)?.[1] ?? 1)}${fitting.at(-1)?.[0] ?? smallest}`
}
