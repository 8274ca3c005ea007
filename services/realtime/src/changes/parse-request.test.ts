import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFilters } from './parse-filters.ts'
import { parseRequest } from './parse-request.ts'
import { filterOperators, SubscriptionRefused } from './request.ts'

const table = { schema: 'public', table: 'notes' }
function outcomeOf(filter: string): string {
  try {
    const known: readonly string[] = filterOperators
    return parseFilters(filter).every(({ operator }) => known.includes(operator)) ? 'read' : 'unknown operator'
  } catch (error) {
    return error instanceof SubscriptionRefused ? 'refused' : String(error)
  }
}
const conditionOf = (filter: string): unknown => {
  return parseFilters(filter).map(({ column, operator, value, negate }) => [column, operator, value, negate])
}

describe('a request', () => {
  test('names a table, a schema or both', () => {
    expect(parseRequest(table)).toEqual({ event: '*', ...table, filters: [], select: undefined })
    expect(parseRequest({ schema: 'private' })).toMatchObject({ schema: 'private', table: '*' })
    expect(parseRequest({ table: 'notes' })).toMatchObject(table)
  })

  test.each([
    ['INSERT', 'INSERT'],
    ['delete', 'DELETE'],
    ['TRUNCATE', '*'],
    [7, '*'],
    [undefined, '*'],
  ])('for event %s is for %s', (event, expected) => {
    expect(parseRequest({ ...table, event }).event).toBe(expected)
  })

  test('chooses columns by a list of their names', () => {
    expect(parseRequest({ ...table, select: ['b', 'a', 'b', 7] }).select).toEqual(['a', 'b'])
    expect(parseRequest({ ...table, select: [] }).select).toBe(undefined)
  })

  test.each([
    [{}, 'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: %{}'],
    [
      { table: 7 },
      'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: %{"table" => 7}',
    ],
    [
      { ...table, filter: null },
      'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: ' +
        '%{"schema" => "public", "table" => "notes", "filter" => nil}',
    ],
    [
      { user_token: 'secret' },
      'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: <redacted>',
    ],
    [
      { ...table, select: 'a,b' },
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    ],
    [
      { schema: 'public', select: ['a'] },
      'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.',
    ],
    [{ ...table, filter: 'a=foo.hey' }, 'Error parsing `filter` params: ["foo", "hey"]'],
    [{ ...table, filter: 'undefined' }, 'Error parsing `filter` params: ["undefined"]'],
    [{ ...table, filter: 'a=in.x' }, 'Error parsing `filter` params: `in` filter value must be wrapped by parentheses'],
    [
      { ...table, filter: 'a=eq.1,' },
      'Error parsing `filter` params: filter must not contain empty segments (check for extra commas)',
    ],
  ])('%j is refused in the words of the protocol', (parameters, message) => {
    expect(() => parseRequest(parameters)).toThrow(new SubscriptionRefused(message))
  })
})

describe('a filter', () => {
  test.each([
    ['a=eq.hey', [['a', 'eq', 'hey', false]]],
    ['a=eq.x=y.z', [['a', 'eq', 'x=y.z', false]]],
    ['  ', []],
    [
      'a=gt.0, b=not.lt.5',
      [
        ['a', 'gt', '0', false],
        ['b', 'lt', '5', true],
      ],
    ],
    [
      'a=in.(x,y),b=is.null',
      [
        ['a', 'in', '{x,y}', false],
        ['b', 'is', 'null', false],
      ],
    ],
    [
      'a=in.("x,)",y),b=eq.1',
      [
        ['a', 'in', '{"x,)",y}', false],
        ['b', 'eq', '1', false],
      ],
    ],
    [
      'a=eq."x,y \\"z\\"",b=eq.1',
      [
        ['a', 'eq', 'x,y "z"', false],
        ['b', 'eq', '1', false],
      ],
    ],
    ['a=eq.5" tall', [['a', 'eq', '5" tall', false]]],
    ['a=eq.', [['a', 'eq', '', false]]],
    ['a=not.in.()', [['a', 'in', '{}', true]]],
  ])('%s is read', (filter, expected) => {
    expect(conditionOf(filter)).toEqual(expected)
  })

  const column = fc.constantFrom('id', 'a_b', 'ä')
  const operator = fc.constantFrom(...filterOperators.filter((name) => name !== 'in'))

  test('with values in quotes is what was put into it, whatever the values are', () => {
    const condition = fc.record({ column, operator, value: fc.string({ unit: 'grapheme' }), negate: fc.boolean() })
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 5 }), (conditions) => {
        const written = conditions.map(({ column: name, operator: by, value, negate }) => {
          return `${name}=${negate ? 'not.' : ''}${by}."${value.replaceAll(/["\\]/g, '\\$&')}"`
        })
        expect(parseFilters(written.join(','))).toEqual(conditions)
      }),
    )
  })

  test('of any text is read or refused, and nothing else happens', () => {
    const pieces = fc.array(fc.constantFrom('a', '=', 'eq', 'not', '.', 'in', '(', ')', '"', '\\', ',', ' ', 'é'), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(pieces, (parts) => {
        expect(outcomeOf(parts.join(''))).toMatch(/^(?:read|refused)$/)
      }),
    )
  })
})
