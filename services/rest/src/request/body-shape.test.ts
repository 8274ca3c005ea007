import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '@pando/core/refusal'
import type { BodyLimits } from './body-shape.ts'
import { createBodyScanner } from './body-shape.ts'

function scan(text: string, { cuts = [], limits }: { cuts?: readonly number[]; limits?: BodyLimits } = {}) {
  const bytes = Buffer.from(text)
  const scanner = createBodyScanner(limits)
  let from = 0
  for (const cut of [...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)) {
    scanner.write(bytes.subarray(from, cut))
    from = cut
  }
  scanner.write(bytes.subarray(from))
  return scanner.end()
}

/** The answer, or the message of the refusal. */
function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { refused: error.message, code: error.code, status: error.status }
  }
}

const refused = (message: string) => ({ refused: message, code: 'PGRST102', status: 400 })
const invalid = refused('Empty or invalid json')
const unequal = refused('All object keys must match')
const shape = (isArray: boolean, keys: string[], isEmptyArray = false) => ({
  kind: 'json',
  isArray,
  isEmptyArray,
  keys,
})

/** The same answer, worked out from the parsed value. */
function expected(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return invalid
  }
  if (Array.isArray(value)) return expectedOfArray(value)
  if (isObject(value)) return shape(false, Object.keys(value))
  return { ...shape(true, [], true), isScalar: true }
}

function expectedOfArray(items: readonly unknown[]): unknown {
  if (items.length === 0) return shape(true, [], true)
  if (!items.every(isObject)) return unequal
  const keys = Object.keys(items[0] ?? {})
  const areSame = items.every(
    (item) => Object.keys(item).length === keys.length && keys.every((key) => Object.hasOwn(item, key)),
  )
  return areSame ? shape(true, keys) : unequal
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

describe('the shape of a JSON body', () => {
  it.each([
    ['an object', '{"b":1,"a":{"x":[1,{"y":2}]}}', shape(false, ['b', 'a'])],
    ['an array of objects', ' [ {"a" : 1, "b" : 2} , {"b":3,"a":4} ] ', shape(true, ['a', 'b'])],
    ['an empty array', '[ ]', shape(true, [], true)],
    ['an empty object', '{}', shape(false, [])],
    ['an array of empty objects', '[{},{}]', shape(true, [])],
    ['keys with escapes that are equal', '[{"a\\u0062":1},{"ab":2}]', shape(true, ['ab'])],
    ['a key that repeats', '[{"a":1,"a":2},{"a":1}]', shape(true, ['a'])],
    ['an object that lacks a key', '[{"a":1,"b":2},{"a":1}]', unequal],
    ['an object with another key', '[{"a":1},{"a":1,"b":2}]', unequal],
    ['an array of numbers', '[1]', unequal],
    ['objects and something else', '[{"a":1},null]', unequal],
    ['nothing', '', invalid],
    ['blanks', ' \n', invalid],
    ['a byte too few', '{"a":1', invalid],
    ['a byte too many', '{"a":1}}', invalid],
    ['a comma too many', '[{"a":1},]', invalid],
    ['a number with a leading zero', '{"a":01}', invalid],
    ['an invalid text after unequal keys', '[{"a":1},{"b":1}', invalid],
    ['the wrong bracket', '[{"a":1]]', invalid],
    ['a line break inside a string', '{"a":"\n"}', invalid],
    ['a scalar', '12.5e+3', { ...shape(true, [], true), isScalar: true }],
  ])('of %s is found', (_, text, answer) => {
    expect(outcome(() => scan(text))).toEqual(answer)
  })

  it('keeps letters that are cut apart between chunks', () => {
    const text = '[{"größe":1,"名前":2},{"größe":3,"名前":4}]'
    const cuts = Array.from(Buffer.from(text).keys())
    expect(scan(text, { cuts })).toEqual(shape(true, ['größe', '名前']))
  })

  it('refuses what exceeds a limit and names the limit', () => {
    const limits = { depthMax: 3, keysMax: 2, keyBytesMax: 4 }
    expect(outcome(() => scan('[[[[1]]]]', { limits }))).toEqual(refused('The json is nested deeper than 3 (depthMax)'))
    expect(outcome(() => scan('{"a":1,"b":2,"c":3}', { limits }))).toEqual(
      refused('An object has more than 2 keys (keysMax)'),
    )
    const long = refused('A key is longer than 4 bytes (keyBytesMax)')
    expect(outcome(() => scan('{"abcde":1}', { limits }))).toEqual(long)
    expect(outcome(() => scan('{"abcde":1}', { limits, cuts: [4] }))).toEqual(long)
  })

  const cuts = fc.array(fc.nat(400), { maxLength: 12 })

  it('agrees with JSON.parse on any JSON value, however it is cut', () => {
    fc.assert(
      fc.property(fc.json(), cuts, (text, cuts) => {
        expect(outcome(() => scan(text, { cuts }))).toEqual(withOrderOfAppearance(expected(text)))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with JSON.parse on objects whose keys may or may not match', () => {
    const rows = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c"', 'd\n', 'é'), fc.jsonValue()), { maxLength: 5 })
    fc.assert(
      fc.property(rows, cuts, fc.boolean(), (rows, cuts, isIndented) => {
        const text = JSON.stringify(rows, null, isIndented ? 1 : undefined)
        expect(outcome(() => scan(text, { cuts }))).toEqual(expected(text))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with JSON.parse on which damaged texts are no JSON', () => {
    const damage = fc.record({
      at: fc.nat(),
      drop: fc.nat(2),
      put: fc.constantFrom('', '"', '{', ']', ',', '0', 'e', '\\', '.'),
    })
    fc.assert(
      fc.property(fc.json(), damage, cuts, (text, { at, drop, put }, cuts) => {
        const place = at % (text.length + 1)
        const damaged = (text.slice(0, place) + put + text.slice(place + drop)).toWellFormed()
        expect(outcome(() => scan(damaged, { cuts }))).toEqual(withOrderOfAppearance(expected(damaged)))
      }),
      { numRuns: 2000 },
    )
  })
})

/** `Object.keys` puts keys that look like array indexes first: compare keys as a set. */
function withOrderOfAppearance(answer: unknown): unknown {
  if (!isObject(answer) || !Array.isArray(answer.keys)) return answer
  return {
    ...answer,
    keys: expect.toSatisfy(
      (keys: string[]) => keys.toSorted().join('\0') === (answer.keys as string[]).toSorted().join('\0'),
    ),
  }
}
