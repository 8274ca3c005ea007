import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Refusal } from '@pando/core/refusal'
import { type BodySource, readBody } from './read-body.ts'
import { parseContentType } from './media-type.ts'

type Case = { type?: string; isRoutine?: boolean; hasColumns?: boolean; chunkBytes?: number }

function chunksOf(body: string, bytes: number): BodySource {
  const all = Buffer.from(body)
  return async (take) => {
    for (let i = 0; i < all.length; i += bytes) take(all.subarray(i, i + bytes))
  }
}

async function read(body: string, { type, isRoutine = false, hasColumns = false, chunkBytes = 7 }: Case = {}) {
  const options = { contentType: parseContentType(type), isRoutine, hasColumns }
  const { shape, chunks } = await readBody(chunksOf(body, chunkBytes), options)
  return { shape, text: Buffer.concat(chunks).toString() }
}

const object = (...keys: string[]) => ({ kind: 'json', isArray: false, isEmptyArray: false, keys })
const array = (...keys: string[]) => ({ kind: 'json', isArray: true, isEmptyArray: false, keys })
const emptyArray = { kind: 'json', isArray: true, isEmptyArray: true, keys: [] }
const csv = 'text/csv'
const form = 'application/x-www-form-urlencoded'

describe('a body', () => {
  it.each<[string, string, Case, unknown, string]>([
    ['JSON passes as it came', ' [{"a":1}]', {}, array('a'), ' [{"a":1}]'],
    [
      'JSON whose columns are given is not looked into',
      '[{"a":1},{"b":2}]',
      { hasColumns: true },
      array(),
      '[{"a":1},{"b":2}]',
    ],
    ['an empty array is one with columns too', ' [ ]', { hasColumns: true }, emptyArray, ' [ ]'],
    ['a scalar for a relation is an empty array', '5', {}, emptyArray, '[]'],
    ['a scalar for a call stays', '5', { isRoutine: true }, { ...emptyArray, isScalar: true }, '5'],
    ['nothing for a call is an empty object', '', { isRoutine: true }, object(), '{}'],
    [
      'a form is an object of strings, the last value of a name counts',
      'a=1+2&b=%C3%A9&a=3',
      { type: form },
      object('a', 'b'),
      '{"a":"3","b":"é"}',
    ],
    [
      'a form for a call keeps values that repeat',
      'v=1&v=2&w=3',
      { type: form, isRoutine: true },
      object('v', 'w'),
      '{"v":["1","2"],"w":"3"}',
    ],
    [
      'CSV is an array of objects',
      'a,b\n1,"x, ""y"""\r\nNULL,é\n',
      { type: csv },
      array('a', 'b'),
      '[{"a":"1","b":"x, \\"y\\""},{"a":null,"b":"é"}]',
    ],
    ['CSV without rows is an empty array', 'a,b\n', { type: csv }, emptyArray, '[]'],
    ['text for a call is raw', 'a,b', { type: 'text/plain', isRoutine: true }, { kind: 'raw' }, 'a,b'],
  ])('of %s', async (_, body, how, shape, text) => {
    expect(await read(body, how)).toEqual({ shape, text })
  })

  it.each<[string, string, Case, string]>([
    ['of nothing for a relation', '', {}, 'Empty or invalid json'],
    ['of nothing with columns', ' ', { hasColumns: true }, 'Empty or invalid json'],
    ['of objects that differ', '[{"a":1},{"b":2}]', {}, 'All object keys must match'],
    ['of CSV with a short line', 'a,b\n1', { type: csv }, 'All lines must have same number of fields'],
    [
      'of CSV with an open quote',
      'a,b\n1,"2',
      { type: csv },
      'Invalid csv: Quote Not Closed: the parsing is finished with an opening quote at line 2',
    ],
    ['of empty CSV', '', { type: csv }, 'Empty or invalid csv'],
    ['of text for a relation', 'x', { type: 'text/plain' }, 'Content-Type not acceptable: text/plain'],
    ['of another type', 'x', { type: 'image/png', isRoutine: true }, 'Content-Type not acceptable: image/png'],
  ])('%s is refused', async (_, body, how, message) => {
    const expected: unknown = expect.objectContaining({ code: 'PGRST102', status: 400, message })
    await expect(read(body, how)).rejects.toThrow(expected as Refusal)
  })

  it('of CSV is what was written, however it is cut and however long', async () => {
    const cell = fc.string({ unit: fc.constantFrom(...'a",\n é;'), maxLength: 5 }).filter((cell) => cell !== '')
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 50 }), async (rows, chunkBytes) => {
        const body = [['x', 'y'], ...rows]
          .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
          .join('\n')
        const { text } = await read(body, { type: csv, chunkBytes })
        expect(JSON.parse(text)).toEqual(rows.map(([x, y]) => ({ x, y })))
      }),
    )
  })

  it('of CSV becomes several chunks when it is long', async () => {
    const body = `a\n${'0123456789\n'.repeat(20_000)}`
    const { chunks } = await readBody(chunksOf(body, 65_536), {
      contentType: parseContentType(csv),
      isRoutine: false,
      hasColumns: false,
    })
    expect(chunks.length).toBeGreaterThan(4)
    expect(JSON.parse(Buffer.concat(chunks).toString())).toHaveLength(20_000)
  })
})
