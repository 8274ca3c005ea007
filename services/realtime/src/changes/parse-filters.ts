import { type Filter, type FilterOperator, filterOperators, SubscriptionRefused } from './request.ts'

const operators: ReadonlySet<string> = new Set(filterOperators)
const isOperator = (name: string): name is FilterOperator => operators.has(name)

const refuse = (reason: string): never => {
  throw new SubscriptionRefused(`Error parsing \`filter\` params: ${reason}`)
}
const inspect = (parts: readonly string[]): string => `[${parts.map((part) => JSON.stringify(part)).join(', ')}]`

/**
 * Reads `column=operator.value`, conditions separated by commas: `id=gt.0,name=not.in.(a,b),title="eq.a,b"`. A comma in
 * quotes or parentheses separates nothing; blank is no filter. Throws `SubscriptionRefused` in the protocol's words.
 */
export function parseFilters(text: string): readonly Filter[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : splitTopLevel(trimmed).map(parseCondition)
}

/** A quote opens only where a value or an element begins. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = []
  let start = 0
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isQuoted) {
      if (character === '\\') at += 1
      else if (character === '"') isQuoted = false
    } else if (character === '"') isQuoted = at > start && '.(,'.includes(text[at - 1]!)
    else if (character === '(') depth += 1
    else if (character === ')') depth = Math.max(0, depth - 1)
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

function parseCondition(segment: string): Filter {
  const trimmed = segment.trim()
  if (trimmed === '') refuse('filter must not contain empty segments (check for extra commas)')
  const [column, condition] = splitOnce(trimmed, '=')
  if (condition === undefined) return refuse(inspect([column]))
  const negate = condition.startsWith('not.')
  const [operator, value] = splitOnce(negate ? condition.slice(4) : condition, '.')
  if (value === undefined) return refuse(inspect([operator]))
  if (!isOperator(operator)) return refuse(inspect([operator, value]))
  return { column, operator, value: operator === 'in' ? toArrayText(value) : unquote(value), negate }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function toArrayText(list: string): string {
  if (!/^\(.*\)$/s.test(list)) refuse('`in` filter value must be wrapped by parentheses')
  return `{${list.slice(1, -1)}}`
}

/** Takes quotes off a value that is one whole quoted text. */
function unquote(value: string): string {
  return /^"(?:[^"\\]|\\.)*"$/s.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : value
}
