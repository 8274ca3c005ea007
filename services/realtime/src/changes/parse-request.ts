import { parseFilters } from './parse-filters.ts'
import { type ChangeEvent, type ChangeRequest, SubscriptionRefused } from './request.ts'

type Parameters = Readonly<Record<string, unknown>>

const nothingAsked = 'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: '
const selectNeedsList =
  'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]'
const selectNeedsTable =
  'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.'

/**
 * Reads one entry of a join's `config.postgres_changes`: `{event, schema, table, filter?, select?}`. A missing table is
 * all tables of the schema, a missing schema is `public`, an event that does not exist counts as `*`.
 * Throws `SubscriptionRefused` in the protocol's words.
 */
export function parseRequest(parameters: Parameters): ChangeRequest {
  const select = parseSelect(parameters['select'])
  const { schema, table } = parseTarget(parameters)
  if (select !== undefined && (schema === '*' || table === '*')) throw new SubscriptionRefused(selectNeedsTable)
  const { filter } = parameters
  const filters = typeof filter === 'string' ? parseFilters(filter) : []
  return { event: parseEvent(parameters['event']), schema, table, filters, select }
}

function parseTarget(parameters: Parameters): { schema: string; table: string } {
  const { schema, table, filter } = parameters
  const hasFilter = 'filter' in parameters
  if (typeof schema === 'string' && typeof table === 'string' && (!hasFilter || typeof filter === 'string')) {
    return { schema, table }
  }
  if (typeof schema === 'string' && !('table' in parameters) && !hasFilter) return { schema, table: '*' }
  if (typeof table === 'string' && !('schema' in parameters) && !hasFilter) return { schema: 'public', table }
  const isSecret = 'user_token' in parameters || 'auth_token' in parameters
  throw new SubscriptionRefused(nothingAsked + (isSecret ? '<redacted>' : inspect(parameters)))
}

function parseEvent(event: unknown): ChangeEvent {
  const name = typeof event === 'string' ? event.toUpperCase() : '*'
  return name === 'INSERT' || name === 'UPDATE' || name === 'DELETE' ? name : '*'
}

function parseSelect(select: unknown): readonly string[] | undefined {
  if (typeof select === 'string') throw new SubscriptionRefused(selectNeedsList)
  if (!Array.isArray(select)) return undefined
  const names = select.filter((name) => typeof name === 'string')
  return names.length === 0 ? undefined : [...new Set(names)].toSorted()
}

/** As the protocol's error texts show values. */
function inspect(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inspect).join(', ')}]`
  if (value === null || value === undefined) return 'nil'
  if (typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)} => ${inspect(member)}`)
  return `%{${members.join(', ')}}`
}
