import fc from 'fast-check'
import { createEncoder, toUint8Array, writeUint8, writeVarUint } from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { parseDocumentMessage, toAnswer, toAsk, toAwareness, toUpdate } from './sync-messages.ts'
import { isComplete, isWaiting, takeIn, vectorWithout } from './take-in.ts'

const bytes = (...numbers: number[]): Uint8Array => {
  const encoder = createEncoder()
  for (const number of numbers) writeVarUint(encoder, number)
  return toUint8Array(encoder)
}

/** Edits of one client, each as its update. */
function write(...texts: string[]) {
  const doc = new Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update) => updates.push(update))
  for (const text of texts) doc.getText('text').insert(doc.getText('text').length, text)
  return { doc, updates }
}

describe('an update', () => {
  test('is complete when all that it builds on is here', () => {
    const { updates } = write('a', 'b')
    const doc = new Doc()
    expect(isComplete(doc, updates[1]!)).toBe(false)
    takeIn(doc, [updates[0]!])
    expect(isComplete(doc, updates[1]!)).toBe(true)
  })

  test('is not complete when it deletes what is not here', () => {
    const { doc, updates } = write('abc')
    doc.getText('text').delete(0, 3)
    expect(isComplete(new Doc(), updates[1]!)).toBe(false)
  })

  test('is not complete when it leaves no numbers for the next one', () => {
    // One client, one struct of it from 0 on: so many deleted characters (info 0 is a gap filler, GC).
    const encoder = createEncoder()
    for (const number of [1, 1, 7, 0]) writeVarUint(encoder, number)
    writeUint8(encoder, 0)
    for (const number of [2 ** 40, 0]) writeVarUint(encoder, number)
    expect(isComplete(new Doc(), toUint8Array(encoder))).toBe(false)
  })

  test('that claims to have more than it has is no update', () => {
    expect(() => isComplete(new Doc(), bytes(1, 2 ** 31, 7, 0))).toThrow('end of array')
    expect(() => isComplete(new Doc(), bytes(2 ** 40))).toThrow('end of array')
  })

  test('of any bytes harms nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
        const doc = new Doc()
        try {
          if (isComplete(doc, given)) takeIn(doc, [given])
        } catch {
          return
        }
        expect(isWaiting(doc)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('is news once, in the words of the library', () => {
    const { updates } = write('a')
    const doc = new Doc()
    const longer = Uint8Array.from([...updates[0]!, 1, 2, 3])
    expect(takeIn(doc, [longer])?.update).toEqual(updates[0])
    expect(takeIn(doc, [longer])).toBeUndefined()
  })
})

test('whoever lacks updates gets them by the vector without them', () => {
  const { doc, updates } = write('a', 'b', 'c')
  const late = new Doc()
  applyUpdate(late, updates[0]!)
  expect(vectorWithout(doc, updates.slice(1))).toEqual(encodeStateVector(late))
  applyUpdate(late, encodeStateAsUpdate(doc, vectorWithout(doc, updates.slice(1))))
  expect(late.getText('text').toString()).toBe('abc')
})

test('a message is read as it was written, and other bytes are none', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (body) => {
      expect(parseDocumentMessage(toAsk(body))).toEqual({ kind: 'ask', stateVector: body })
      expect(parseDocumentMessage(toAnswer(body))).toEqual({ kind: 'answer', update: body })
      expect(parseDocumentMessage(toUpdate(body))).toEqual({ kind: 'update', update: body })
      expect(parseDocumentMessage(toAwareness(body))).toEqual({ kind: 'awareness', update: body })
    }),
  )
  expect(parseDocumentMessage(bytes(3))).toEqual({ kind: 'askAwareness' })
  for (const wrong of [bytes(), bytes(2), bytes(0), bytes(0, 3, 0), bytes(0, 0, 9), bytes(1, 9)])
    expect(parseDocumentMessage(wrong)).toBeUndefined()
})
