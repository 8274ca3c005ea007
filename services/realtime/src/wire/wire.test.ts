import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from './decode.ts'
import { encodeText, encodeUserMessage } from './encode.ts'
import { parseJoin } from './parse-join.ts'
import { toCloseFrame, toFrame } from './websocket-frame.ts'

const versions = fc.constantFrom(1 as const, 2 as const)
const ref = fc.option(fc.string())
const short = fc.string({ maxLength: 60, unit: 'grapheme' })
const bytes = fc.uint8Array().map((array) => Buffer.from(array))

describe('what a client says', () => {
  test('is read as it was written, in both versions', () => {
    fc.assert(
      fc.property(versions, ref, ref, short, short, fc.jsonValue(), (version, joinRef, own, topic, event, payload) => {
        const members = { join_ref: joinRef, ref: own, topic, event, payload }
        const text = JSON.stringify(version === 2 ? [joinRef, own, topic, event, payload] : members)
        expect(decodeMessage(version, Buffer.from(text), false)).toEqual({
          joinRef,
          ref: own,
          topic,
          event,
          payload: JSON.parse(JSON.stringify(payload ?? {})),
        })
      }),
    )
  })

  test('may count its refs in numbers', () => {
    expect(decodeMessage(2, Buffer.from('[1,2,"t","e",{}]'), false)).toMatchObject({ joinRef: '1', ref: '2' })
  })

  test('is a message for others in a binary frame of kind 3', () => {
    fc.assert(
      fc.property(short, short, fc.boolean(), bytes, fc.jsonValue(), (topic, event, isJson, some, value) => {
        const payload = isJson ? Buffer.from(JSON.stringify(value)) : some
        const texts = ['1', '22', topic, event, '{"a":1}'].map((text) => Buffer.from(text))
        const head = Buffer.from([3, ...texts.map(({ length }) => length), isJson ? 1 : 0])
        expect(decodeMessage(2, Buffer.concat([head, ...texts, payload]), true)).toEqual({
          joinRef: '1',
          ref: '22',
          topic,
          event: 'broadcast',
          payload: {},
          user: { event, encoding: isJson ? 'json' : 'binary', bytes: payload },
        })
      }),
    )
  })

  test('is nothing, and no fault, when it is anything else', () => {
    const garbage = fc.oneof(bytes, fc.json().map(Buffer.from), fc.string().map(Buffer.from))
    fc.assert(
      fc.property(versions, garbage, fc.boolean(), (version, data, isBinary) => {
        const { topic = '' } = decodeMessage(version, data, isBinary) ?? {}
        expect(typeof topic).toBe('string')
      }),
      { numRuns: 2000 },
    )
    expect(decodeMessage(1, Buffer.from([3, 0, 0, 0, 0, 0, 0]), true)).toBeUndefined()
    expect(decodeMessage(2, Buffer.from([3, 0, 0, 200, 0, 0, 0]), true)).toBeUndefined()
  })
})

test('whatever is in the payload of a join, it is read without a fault', () => {
  fc.assert(fc.property(fc.jsonValue(), (payload) => void parseJoin(payload)))
  const config = {
    private: 'true',
    broadcast: { self: 'TRUE', ack: 1 },
    presence: { key: 7 },
    postgres_changes: [null, {}],
    postgres_changes_options: { wait: 'true', timeout: '5' },
  }
  expect(parseJoin({ access_token: 'a', config })).toMatchObject({
    accessToken: 'a',
    isPrivate: true,
    broadcast: { self: true, ack: false },
    presence: { enabled: false, key: '7' },
    postgresChanges: [{}],
    changesWaitMs: 15_000,
  })
})

test('what the server says is JSON with the payload as it is', () => {
  fc.assert(
    fc.property(short, short, fc.jsonValue(), (topic, event, payload) => {
      const json = JSON.stringify(payload)
      const address = { topic, event, joinRef: '1', ref: null }
      const same = JSON.parse(json) as unknown
      expect(JSON.parse(encodeText(2, address, json))).toEqual(['1', null, topic, event, same])
      expect(JSON.parse(encodeText(1, address, json))).toEqual({
        join_ref: '1',
        ref: null,
        topic,
        event,
        payload: same,
      })
    }),
  )
})

test('a text that is too long for its length byte makes no frame', () => {
  const message = { event: 'e'.repeat(256), encoding: 'json', bytes: Buffer.from('{}') } as const
  expect(encodeUserMessage('t', message)).toBeUndefined()
  expect(encodeUserMessage('t', { ...message, event: 'e' })).toEqual(Buffer.from('\x04\x01\x01\x00\x01te{}', 'latin1'))
})

test.each([
  [125, 2],
  [126, 4],
  [65_535, 4],
  [65_536, 10],
])('a message of %i bytes has a head of %i', (length, headLength) => {
  const frame = toFrame(Buffer.alloc(length, 'x'))
  expect(frame).toHaveLength(headLength + length)
  expect(toFrame('x'.repeat(length)).subarray(1)).toEqual(frame.subarray(1))
})

test('a reason that is too long is cut', () => {
  expect(toCloseFrame(1008, 'x'.repeat(200))).toHaveLength(127)
})
