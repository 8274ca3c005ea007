import fc from 'fast-check'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createLines, type Lines } from '../channels/lines.ts'
import type { Member } from '../channels/member.ts'
import { createSimulatedBuses, type SimulatedBuses } from '../channels/testing/simulated-buses.ts'
import { createTopics, newTopic, type Topic, type Topics } from '../channels/topics.ts'
import { realtimeDefaults as options } from '../testing/realtime-defaults.ts'
import { createNodePresences, type NodePresences } from './node-presences.ts'
import { newPresences, takeDiffJson, toStateJson, track, untrack } from './presences.ts'

/** A node with the people in its channels, and what somebody in each channel has been told. */
type Node = {
  readonly id: string
  readonly topics: Topics
  readonly lines: Lines
  readonly presences: NodePresences
  /** By topic: the names of states that members take for present. */
  readonly told: Map<Topic, Map<string, string>>
  readonly faults: string[]
}

type Metas = Record<string, { metas: { phx_ref: string; who: string }[] }>

const refsIn = (metas: Metas): [string, string][] =>
  Object.entries(metas).flatMap(([key, each]) =>
    each.metas.map((meta): [string, string] => [meta.phx_ref, `${key} ${meta.who}`]),
  )

let nowMs = 0
const clock = { now: () => nowMs, monotonic: () => nowMs }

function startNode(id: string, buses: SimulatedBuses): Node {
  const bus = buses.start(id)
  const topics = createTopics()
  const faults: string[] = []
  const onMalformed = (error: unknown): void => void faults.push(String(error))
  const lines = createLines({ bus, topics, clock, options, onMalformed })
  const told = new Map<Topic, Map<string, string>>()
  const onChanged = (topic: Topic): void => {
    const { joins, leaves } = JSON.parse(takeDiffJson(topic.presences!)) as { joins: Metas; leaves: Metas }
    const before = told.get(topic)
    if (before === undefined) return
    // As the SDKs do: joins, then leaves.
    for (const [ref, what] of refsIn(joins)) {
      if (before.has(ref)) faults.push(`${ref} joined twice`)
      before.set(ref, what)
    }
    for (const [ref] of refsIn(leaves)) if (!before.delete(ref)) faults.push(`${ref} left without having joined`)
  }
  const presences = createNodePresences({ bus, lines, topics, clock, options, onChanged, onMalformed })
  return { id, topics, lines, presences, told, faults }
}

/** What members of a topic on a node are told when they come: everybody who is there. */
const stateOf = ({ presences }: Topic): Map<string, string> =>
  new Map(presences === undefined ? [] : refsIn(JSON.parse(toStateJson(presences)) as Metas))

let refs = 0

function join({ topics, lines, presences, told }: Node, name: string, key: string): Member {
  const member = { topic: newTopic(name, false), presence: { key, enabled: true } } as unknown as Member
  member.topic = topics.hold(member.topic)
  void lines.open(member.topic)
  void presences.learn(member.topic)
  topics.enter(member)
  void presences.learn(member.topic)
  topics.release(member.topic)
  if (!told.has(member.topic)) told.set(member.topic, stateOf(member.topic))
  return member
}

function trackMember(node: Node, member: Member, who: string): void {
  const before = member.presence.tracked
  const tracked = { ref: `${node.id}.${(refs += 1)}`, json: JSON.stringify({ who }) }
  member.presence.tracked = tracked
  track((member.topic.presences ??= newPresences()), member, tracked)
  node.presences.tell(member.topic, [member.presence.key, tracked.ref, before?.ref ?? null, tracked.json])
  tellHere(node, member.topic)
}

function leave(node: Node, member: Member): void {
  const { tracked } = member.presence
  if (tracked !== undefined) {
    untrack(member.topic.presences!, member)
    node.presences.tell(member.topic, [tracked.ref])
    tellHere(node, member.topic)
  }
  node.topics.remove(member)
  if (member.topic.members.size === 0) node.told.delete(member.topic)
}

function tellHere({ told }: Node, topic: Topic): void {
  const { joins, leaves } = JSON.parse(takeDiffJson(topic.presences!)) as { joins: Metas; leaves: Metas }
  const known = told.get(topic)
  for (const [ref, what] of refsIn(joins)) known?.set(ref, what)
  for (const [ref] of refsIn(leaves)) known?.delete(ref)
}

/** A second goes by. */
async function look(nodes: Iterable<Node>): Promise<void> {
  nowMs += 1_000
  for (const { lines, presences } of nodes) {
    lines.look()
    presences.look()
  }
  await setImmediate()
  await setImmediate()
}

async function passAll(nodes: readonly Node[], buses: SimulatedBuses): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    await setImmediate()
    await setImmediate()
    for (const from of ids) for (const { id: to } of nodes) while (buses.pass(from, to));
  }
}

const names = ['red', 'blue']
const ids = Array.from({ length: 30 }, (_, index) => `n${index}`)

type Step =
  | { readonly do: 'join' | 'track' | 'leave'; readonly node: number; readonly who: number; readonly name: string }
  | { readonly do: 'pass' | 'lose'; readonly from: number; readonly to: number; readonly count: number }
  | { readonly do: 'turn' | 'look' }
  | { readonly do: 'kill' | 'overlook' | 'introduce'; readonly node: number; readonly by: number }

const node = fc.nat(2)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('join' as const, 'track' as const, 'track' as const, 'leave' as const),
        node,
        who: fc.nat(1),
        name: fc.constantFrom('red', 'red', 'red', 'blue'),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        from: node,
        to: node,
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('lose' as const), from: node, to: node, count: fc.constant(1) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'look' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('kill' as const, 'overlook' as const, 'introduce' as const),
        node,
        by: fc.integer({ min: 1, max: 2 }),
      }),
    },
  ),
  { minLength: 20, maxLength: 120, size: 'max' },
)

type Act = Extract<Step, { who: number }>

/** What somebody does in a channel; who is not in it joins first. */
function act(at: Node, people: Map<string, Member>, { do: what, name, who }: Act): void {
  const person = `${at.id} ${name} ${who}`
  const before = people.get(person)
  if (what === 'leave') {
    if (before !== undefined) leave(at, before)
    people.delete(person)
    return
  }
  const member = before ?? join(at, name, `key ${who}`)
  people.set(person, member)
  if (what === 'track') trackMember(at, member, `${refs}`)
}

/** Plays the steps on three nodes and lets everything arrive. `tellsGaps: false` is a bus that loses and says nothing. */
async function play(played: readonly Step[], { tellsGaps = true } = {}): Promise<readonly Node[]> {
  const buses = createSimulatedBuses()
  let started = 0
  const start = (): Node => startNode(ids[(started += 1) - 1]!, buses)
  const nodes = [start(), start(), start()]
  for (const { id } of nodes) buses.introduce(id)
  const people = new Map<string, Member>()
  const gaps = new Set<string>()
  for (const step of played) {
    if ('from' in step) {
      const [from, to] = [nodes[step.from]!, nodes[step.to]!]
      for (let left = step.count; left > 0; left -= 1) {
        if (buses.pass(from.id, to.id, step.do === 'lose') && step.do === 'lose') gaps.add(to.id)
      }
      continue
    }
    if (!('node' in step)) {
      await (step.do === 'turn' ? setImmediate() : look(nodes))
      continue
    }
    const at = nodes[step.node]!
    if ('who' in step) act(at, people, step)
    else if (step.do === 'overlook') buses.overlook(at.id, nodes[(step.node + step.by) % nodes.length]!.id)
    else if (step.do === 'introduce') buses.introduce(at.id)
    else {
      for (const [name] of people) if (name.startsWith(`${at.id} `)) people.delete(name)
      buses.kill(at.id)
      nodes[step.node] = start()
      buses.introduce(nodes[step.node]!.id)
    }
  }
  for (const { id } of nodes) buses.introduce(id)
  await passAll(nodes, buses)
  if (tellsGaps) for (const id of gaps) if (nodes.some((each) => each.id === id)) buses.tellGap(id)
  // A question that was lost is put again.
  for (let seconds = 0; seconds <= options.presenceAnswerTimeout / 1_000; seconds += 1) {
    await look(nodes)
    await passAll(nodes, buses)
  }
  return nodes
}

const sorted = (map: ReadonlyMap<string, string>): [string, string][] => [...map].toSorted()

/** Everybody everywhere sees all who are there. */
function mustAgree(nodes: readonly Node[]): void {
  for (const name of names) {
    const here = new Map(
      nodes
        .flatMap(({ topics }) => [...(topics.find(name, false)?.members ?? [])])
        .flatMap(({ presence: { key, tracked } }): [string, string][] =>
          tracked === undefined ? [] : [[tracked.ref, `${key} ${(JSON.parse(tracked.json) as { who: string }).who}`]],
        ),
    )
    for (const { topics, told } of nodes) {
      const topic = topics.find(name, false)
      if (topic === undefined || topic.members.size === 0) continue
      expect(sorted(stateOf(topic))).toEqual(sorted(here))
      expect(sorted(told.get(topic)!)).toEqual(sorted(here))
    }
  }
  for (const { faults } of nodes) expect(faults).toEqual([])
}

test('all nodes end with the presences of all, whoever comes, goes, is killed and whatever is lost', async () => {
  const played = fc.assert(
    fc.asyncProperty(steps, async (each) => mustAgree(await play(each))),
    { numRuns: 300 },
  )
  await expect(played).resolves.toBeUndefined()
})

const lossy: Step[] = [
  { do: 'join', node: 0, who: 0, name: 'red' },
  { do: 'join', node: 1, who: 1, name: 'red' },
  ...Array.from({ length: 4 }, (): Step => ({ do: 'turn' })),
  ...[0, 1, 0, 1].map((from): Step => ({ do: 'pass', from, to: 1 - from, count: 4 })),
  { do: 'track', node: 0, who: 0, name: 'red' },
  { do: 'turn' },
  { do: 'lose', from: 0, to: 1, count: 1 },
]

test('that would be noticed if something were lost and nobody said so', async () => {
  mustAgree(await play(lossy))
  const nodes = await play(lossy, { tellsGaps: false })
  expect(() => mustAgree(nodes)).toThrow('to deeply equal')
})

describe('who comes', () => {
  const settle = async (): Promise<void> => {
    await setImmediate()
    await setImmediate()
  }

  test('waits for the answers of all nodes and has everybody then', async () => {
    const buses = createSimulatedBuses()
    const [one, other] = [startNode('n0', buses), startNode('n1', buses)]
    buses.introduce('n1')
    const member = join(one, 'red', 'ann')
    trackMember(one, member, 'ann')
    await settle()
    const topic = other.topics.hold(newTopic('red', false))
    void other.lines.open(topic)
    let isKnown = false
    void other.presences.learn(topic)?.then(() => (isKnown = true))
    await settle()
    while (buses.pass('n1', 'n0'));
    expect(isKnown).toBe(false)
    while (buses.pass('n0', 'n1'));
    await settle()
    expect(isKnown).toBe(true)
    expect([...stateOf(topic).values()]).toEqual(['ann ann'])
    expect(other.presences.learn(topic)).toBeUndefined()
  })

  test('waits no longer than the limit, and for nobody when nobody is there', async () => {
    const buses = createSimulatedBuses()
    const alone = startNode('n0', buses)
    expect(alone.presences.learn(newTopic('red', false))).toBeUndefined()
    expect(buses.countOnTheWay()).toBe(0)
    startNode('n1', buses)
    buses.introduce('n1')
    alone.lines.look()
    const learning = alone.presences.learn(newTopic('blue', false))
    nowMs += options.presenceTimeout
    alone.presences.look()
    await expect(learning).resolves.toBeUndefined()
  })
})
