import type { Bus } from '@pando/bus/bus'
import { setImmediate } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { realtimeDefaults as options } from '../testing/realtime-defaults.ts'
import { createLines, lineKinds, type Lines } from './lines.ts'
import { createSimulatedBuses, type SimulatedBuses } from './testing/simulated-buses.ts'
import type { Member } from './member.ts'
import { createTopics, newTopic, type Topic, type Topics } from './topics.ts'

let nowMs = 0
const clock = { now: () => nowMs, monotonic: () => nowMs }

type Node = { readonly lines: Lines; readonly topics: Topics; readonly heard: string[]; readonly malformed: unknown[] }

let buses: SimulatedBuses

beforeEach(() => {
  buses = createSimulatedBuses()
})

function startNode(id: string, change: (bus: Bus) => Bus = (bus) => bus): Node {
  const topics = createTopics()
  const heard: string[] = []
  const malformed: unknown[] = []
  const lines = createLines({
    bus: change(buses.start(id)),
    topics,
    clock,
    options,
    onMalformed: (error) => malformed.push(error),
  })
  lines.hear(lineKinds.broadcast, ({ name, isPrivate }, body, from) =>
    heard.push(`${from} ${name} ${isPrivate} ${body.toString()}`),
  )
  buses.introduce(id)
  return { lines, topics, heard, malformed }
}

function enter({ topics }: Node, topic: Topic): Member {
  const member = { topic } as unknown as Member
  topics.enter(member)
  return member
}

const say = ({ lines }: Node, name: string, isPrivate = false): void =>
  lines.say({ name, isPrivate }, { kind: lineKinds.broadcast, body: Buffer.from('hello'), delivery: 'may' })

const passAll = (from: string, to: string): void => {
  while (buses.pass(from, to));
}

test('a node that is alone says nothing and waits for nothing', () => {
  const alone = startNode('one')
  expect(alone.lines.isAlone()).toBe(true)
  expect(alone.lines.open(newTopic('red', false))).toBeUndefined()
  say(alone, 'red')
  expect(buses.countOnTheWay()).toBe(0)
})

test('when another node comes, what is said in topics that somebody is in, or about to be, is heard', () => {
  const first = startNode('first')
  const member = enter(first, newTopic('red', false))
  first.topics.hold(newTopic('blue', false))
  expect(first.lines.open(member.topic)).toBeUndefined()
  const other = startNode('other')
  for (const name of ['red', 'blue', 'green']) say(other, name)
  passAll('other', 'first')
  expect(first.heard).toEqual(['other red false hello', 'other blue false hello'])
})

test('a topic is heard from other nodes from when its line is open, and its namesake is another one', async () => {
  const [one, other] = [startNode('one'), startNode('other')]
  const topic = newTopic('red', true)
  const opening = one.lines.open(topic)
  expect(opening).toBeInstanceOf(Promise)
  await opening
  expect(one.lines.open(topic)).toBeUndefined()
  for (const isPrivate of [true, false]) say(other, 'red', isPrivate)
  passAll('other', 'one')
  expect(one.heard).toEqual(['other red true hello'])
})

test('topics with names of any length are told apart', async () => {
  const [one, other] = [startNode('one'), startNode('other')]
  const long = 'ü'.repeat(100_000)
  for (const name of [`${long}a`, `${long}b`]) await one.lines.open(newTopic(name, false))
  say(other, `${long}b`)
  passAll('other', 'one')
  expect(one.heard.map((each) => each.at(-'b false hello'.length))).toEqual(['b'])
})

test('a line that does not open is not waited for longer than the limit', async () => {
  startNode('other')
  const never = new Promise<void>(() => {})
  const one = startNode('one', (bus) => ({
    ...bus,
    subscribe: (...given) => ({ ...bus.subscribe(...given), ready: never }),
  }))
  const opening = one.lines.open(newTopic('red', false))
  one.lines.look()
  nowMs += options.lineTimeout
  one.lines.look()
  await expect(opening).resolves.toBeUndefined()
})

test('a line closes when nobody was in its topic for a while, not when somebody comes back or is about to come', async () => {
  const [one, other] = [startNode('one'), startNode('other')]
  const closed: string[] = []
  one.lines.onClosed(({ name }) => closed.push(name))
  const topic = one.topics.hold(newTopic('red', false))
  void one.lines.open(topic)
  // About to come.
  for (let count = 0; count < 3; count += 1) one.lines.look()
  const member = enter(one, topic)
  one.topics.release(topic)
  one.topics.remove(member)
  one.lines.look()
  one.topics.enter(member)
  one.lines.look()
  one.topics.remove(member)
  one.lines.look()
  expect(one.topics.find('red', false)).toBe(topic)
  say(other, 'red')
  passAll('other', 'one')
  expect(one.heard).toHaveLength(1)
  one.lines.look()
  expect(closed).toEqual(['red'])
  expect(one.topics.find('red', false)).toBeUndefined()
  say(other, 'red')
  passAll('other', 'one')
  expect(one.heard).toHaveLength(1)
  expect(one.topics.count()).toBe(0)
  await setImmediate()
})

test('a message of a kind that is not known yet is passed over, and one that is malformed hurts nothing', async () => {
  const [one, other] = [startNode('one'), startNode('other')]
  await one.lines.open(newTopic('red', false))
  one.lines.hear(lineKinds.awareness, () => {
    throw new Error('malformed')
  })
  const body = Buffer.from('x')
  other.lines.say({ name: 'red', isPrivate: false }, { kind: 99 as never, body, delivery: 'may' })
  other.lines.say({ name: 'red', isPrivate: false }, { kind: lineKinds.awareness, body, delivery: 'may' })
  say(other, 'red')
  passAll('other', 'one')
  expect(one.heard).toHaveLength(1)
  expect(one.malformed).toHaveLength(1)
})
