import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { listItems, nodeFields, nodeType } from './node-tree.ts'

test('a node is cut into its fields, whatever they hold', () => {
  const fields = nodeFields(
    '{QUERY :commandType 1 :cteList <> :jointree {FROMEXPR :fromlist ({A :b 1} {A :b 2}) :quals <>}}',
  )
  expect([...fields]).toEqual([
    ['commandType', '1'],
    ['cteList', '<>'],
    ['jointree', '{FROMEXPR :fromlist ({A :b 1} {A :b 2}) :quals <>}'],
  ])
})

test('a value may consist of several tokens', () => {
  const fields = nodeFields('{CONST :constvalue 4 [ 16 0 0 0 ] :location -1}')
  expect(fields.get('constvalue')).toBe('4 [ 16 0 0 0 ]')
  expect(fields.get('location')).toBe('-1')
})

test('a name that starts with a colon is a value, not a field', () => {
  expect([...nodeFields('{TARGETENTRY :resname :resno :resno 2}')]).toEqual([
    ['resname', ':resno'],
    ['resno', '2'],
  ])
})

test('escaped brackets and spaces do not count', () => {
  const fields = nodeFields('{TARGETENTRY :resname we\\ ird\\{\\(\\\\ :resno 3}')
  expect(fields.get('resname')).toBe('we\\ ird\\{\\(\\\\')
  expect(fields.get('resno')).toBe('3')
})

test('a list is cut into its items and null has none', () => {
  expect(listItems('({A :b (1 2)} {C} "x" (i 1))')).toEqual(['{A :b (1 2)}', '{C}', '"x"', '(i 1)'])
  expect(listItems('<>')).toEqual([])
  expect(listItems(undefined)).toEqual([])
  expect(nodeType('{VAR :varno 1}')).toBe('VAR')
})

/** What Postgres makes of a name: a backslash before whatever would mean something. */
const escape = (name: string): string => name.replaceAll(/[\s(){}\\]/g, String.raw`\$&`)

const token = fc
  .string({ minLength: 1, maxLength: 12 })
  .map(escape)
  .filter((text) => text !== '<>')
const tree = fc.letrec<{ value: string; node: string; list: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, token, fc.constant('<>'), tie('node'), tie('list')),
  node: fc
    .array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), tie('value')), { minLength: 1, maxLength: 4 })
    .map((fields) => `{NODE ${fields.map(([name, value]) => `:${name} ${value}`).join(' ')}}`),
  list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `(${items.join(' ')})`),
}))

test('whatever a tree holds, its fields and items are found again', () => {
  const fields = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), tree.value), { selector: ([name]) => name })
  fc.assert(
    fc.property(fields, fc.array(tree.value), (fields, items) => {
      const node = `{NODE ${fields.map(([name, value]) => `:${name} ${value}`).join(' ')}}`
      expect([...nodeFields(node)]).toEqual(fields)
      expect(listItems(`(${items.join(' ')})`)).toEqual(items)
    }),
  )
})
