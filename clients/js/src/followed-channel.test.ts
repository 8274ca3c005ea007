import { expect, test } from 'vitest'
import { createFollowedChannel, heldMax } from './followed-channel.ts'
import { type Message, toMembers } from './wire.ts'

const topic = 'realtime:notes'
const toCursor = (place: number): string => `0000000000000001.${String(place).padStart(6, '0')}`

/** A channel, what the SDK gets of it, and what the server says. */
function newChannel() {
  const channel = createFollowedChannel()
  const passed: Message[] = []
  let joins = 0
  const hear = (event: string, payload: unknown, refs: Partial<Message> = {}): void =>
    channel.receive({ topic, event, payload, ...refs }, (message) => passed.push(message))
  return {
    ...channel,
    passed,
    hear,
    /** The place from which the join asks. */
    join: (cursor: number | undefined, ids: readonly number[] = []): unknown => {
      const ref = String((joins += 1))
      const config = { broadcast: { replay: { since: 1 }, self: true } }
      const sent = channel.send({ topic, event: 'phx_join', payload: { config }, ref })
      const response = {
        cursor: cursor === undefined ? undefined : toCursor(cursor),
        postgres_changes: ids.map((id) => ({ id })),
      }
      hear('phx_reply', { status: 'ok', response }, { ref, join_ref: ref })
      return toMembers(toMembers(sent.payload)['config'])
    },
    change: (place: number, ids: readonly number[]): void =>
      hear('postgres_changes', { ids, data: {}, cursor: toCursor(place) }),
    idsPassed: () =>
      passed.filter(({ event }) => event === 'postgres_changes').map(({ payload }) => toMembers(payload)['ids']),
  }
}

test('a join that says where it stopped does not ask for messages from before once more', () => {
  const { join } = newChannel()
  expect(join(1)).toEqual({ broadcast: { replay: { since: 1 }, self: true } })
  expect(join(5)).toEqual({ broadcast: { self: true }, cursor: toCursor(1) })
})

test('of a change that came for one binding before the connection broke, the others get it after the next join', () => {
  const channel = newChannel()
  channel.join(0, [11, 12])
  channel.change(1, [11])
  channel.join(9, [21, 22])
  channel.change(1, [21])
  channel.change(1, [22])
  channel.change(2, [21, 22])
  expect(channel.idsPassed()).toEqual([[11], [22], [21, 22]])
})

test('a heartbeat on another connection says nothing about a channel that is not joined on it yet', () => {
  const channel = newChannel()
  channel.join(1)
  channel.forgetConnection()
  channel.advance(toCursor(9))
  expect(channel.join(10)).toMatchObject({ cursor: toCursor(1) })
  channel.advance(toCursor(12))
  expect(channel.join(13)).toMatchObject({ cursor: toCursor(12) })
  channel.hear('phx_error', {})
  channel.advance(toCursor(20))
  expect(channel.join(21)).toMatchObject({ cursor: toCursor(12) })
})

test('a channel that the server closes has failed for the SDK; one that is left, or was joined again, is closed', () => {
  const channel = newChannel()
  channel.join(1)
  channel.join(1)
  channel.hear('phx_close', {}, { ref: '1', join_ref: '1' })
  channel.hear('phx_close', {}, { ref: '2', join_ref: '2' })
  channel.send({ topic, event: 'phx_leave', payload: {} })
  channel.hear('phx_close', {}, { ref: '2', join_ref: '2' })
  const events = channel.passed.map(({ event }) => event).filter((event) => event !== 'phx_reply')
  expect(events).toEqual(['phx_close', 'phx_error', 'phx_close'])
})

test('of a server without cursors everything is passed on, and each join is a reason to fetch', async () => {
  const channel = newChannel()
  const reasons: string[] = []
  channel.onResync((reason) => reasons.push(reason))
  channel.join(undefined)
  await Promise.resolve()
  channel.hear('broadcast', { event: 'e', payload: {} })
  expect(channel.join(undefined)).not.toHaveProperty('cursor')
  expect(reasons).toEqual(['joined', 'joined'])
  expect(channel.passed.map(({ event }) => event)).toEqual(['phx_reply', 'broadcast', 'phx_reply'])
})

test('rows that only begin to be followed after the answer are fetched then', async () => {
  const channel = newChannel()
  const reasons: string[] = []
  channel.onResync((reason) => reasons.push(reason))
  channel.join(undefined, [1])
  await new Promise(setImmediate)
  channel.hear('system', { extension: 'postgres_changes', status: 'ok', message: 'Subscribed to PostgreSQL' })
  expect(reasons).toEqual(['joined', 'joined'])
})

test('when more comes during a fetch than can wait, it is made again', async () => {
  const channel = newChannel()
  const reasons: string[] = []
  channel.onResync((reason) => reasons.push(reason))
  channel.join(0, [1])
  for (let place = 1; place <= heldMax + 5; place += 1) channel.change(place, [1])
  expect(channel.idsPassed()).toEqual([])
  await new Promise(setImmediate)
  expect(channel.idsPassed()).toHaveLength(heldMax)
  expect(reasons).toEqual(['joined', 'too_many_held'])
})
