import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPosition } from './position.ts'

const toCursor = (index: number): string => `0000000000000001.${String(index).padStart(6, '0')}`

/** Changes of a log; each goes to some of three bindings, in one delivery or several. */
const logs = fc.array(
  fc
    .uniqueArray(fc.nat({ max: 2 }), { minLength: 1 })
    .chain((bindings) => fc.record({ bindings: fc.constant(bindings), isSplit: fc.boolean() })),
  { minLength: 1, maxLength: 30 },
)

type Delivery = { readonly cursor: string; readonly bindings: readonly number[] }

const toDeliveries = (log: readonly { bindings: readonly number[]; isSplit: boolean }[]): readonly Delivery[] =>
  log.flatMap(({ bindings, isSplit }, index) =>
    (isSplit ? bindings.map((binding) => [binding]) : [bindings]).map((some) => ({
      cursor: toCursor(index + 1),
      bindings: some,
    })),
  )

test('wherever connections break, each binding gets each of its changes once and in order', () => {
  fc.assert(
    fc.property(logs, fc.array(fc.nat({ max: 8 })), (log, lengths) => {
      const deliveries = toDeliveries(log)
      const position = createPosition()
      position.moveTo(toCursor(0))
      const got: string[] = []
      for (const length of [...lengths, Infinity]) {
        const from = position.from()
        const missed = deliveries.filter(({ cursor }) => cursor > from)
        for (const { cursor, bindings } of missed.slice(0, length)) {
          for (const binding of position.takeChange(cursor, bindings)) got.push(`${cursor} ${binding}`)
        }
      }
      expect(got).toEqual(deliveries.flatMap(({ cursor, bindings }) => bindings.map((each) => `${cursor} ${each}`)))
    }),
  )
})

test('rows that are late do not hide messages, nor messages rows', () => {
  const position = createPosition()
  position.moveTo(toCursor(0))
  expect(position.takeMessage(toCursor(5))).toBe(true)
  expect(position.from()).toBe(toCursor(0))
  expect(position.takeChange(toCursor(3), [0])).toEqual([0])
  expect(position.takeMessage(toCursor(5))).toBe(false)
  expect(position.takeChange(toCursor(3), [0, 1])).toEqual([1])
})

test('a channel where nothing happens moves on with the log, and never back', () => {
  const position = createPosition()
  position.moveTo(toCursor(1))
  position.advance(toCursor(9))
  expect(position.from()).toBe(toCursor(9))
  position.advance(toCursor(8))
  expect(position.from()).toBe(toCursor(9))
  expect(position.takeChange(toCursor(9), [0])).toEqual([])
})

test('without a place everything is new, and there is nothing to ask from', () => {
  const position = createPosition()
  expect(position.takeChange(toCursor(4), [0])).toEqual([0])
  expect(position.takeMessage(toCursor(2))).toBe(true)
  expect(position.from()).toBe('')
})
