import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import { lineKinds, type Lines } from '../channels/lines.ts'
import type { Topic, TopicName, Topics } from '../channels/topics.ts'
import type { RealtimeOptions } from '../config.ts'
import { createQuestions, pieceCharactersMax } from './presence-questions.ts'
import { newPresences } from './presences.ts'
import {
  inPieces,
  takeChanges,
  takeState,
  type ToldChange,
  type ToldPresence,
  type ToldPresences,
} from './told-presences.ts'

export type NodePresencesDeps = {
  readonly bus: Pick<Bus, 'nodeId' | 'publish' | 'subscribe' | 'watch'>
  readonly lines: Lines
  readonly topics: Topics
  readonly clock: Clock
  readonly options: Pick<RealtimeOptions, 'presenceTimeout' | 'presenceAnswerTimeout'>
  /** Members of the topic are told what has changed in its presences. */
  readonly onChanged: (topic: Topic) => void
  /** A message of another node that could not be understood. */
  readonly onMalformed: (error: unknown) => void
}

/**
 * Presences of all nodes, on those that have members who want to know. Each node tells the changes of its own on the line
 * of their topic. For the first member who wants to know, a node asks all others for what they have, and it asks anew when
 * it may have missed something. What it hears then is settled against what it knew, so that members are told the
 * difference alone.
 *
 * Every node could keep the presences of all topics instead, and never ask. But then each would hold everybody, and a
 * fleet no more people than one node.
 */
export type NodePresences = {
  /**
   * Knows from now on what the other nodes have in a topic. Fulfils when it does, after `presenceTimeout` at the latest;
   * undefined when that is now.
   */
  learn(topic: Topic): Promise<void> | undefined
  /** Something has changed here; who says something about themselves wants to know of others, too. */
  tell(topic: Topic, change: ToldChange): void
  /** Each second or so: gives up waiting, and asks again what has to be asked again. */
  look(): void
  stop(): void
}

type Known = {
  readonly topic: Topic
  readonly byNode: Map<string, ToldPresences>
  /** Nodes that have not answered. */
  readonly awaiting: Set<string>
  /** Since when the topic is known, and when it was asked about last. */
  readonly begunMs: number
  askedMs: number
  /** Until it was answered for the first time. */
  learning: PromiseWithResolvers<void> | undefined
}

export function createNodePresences(deps: NodePresencesDeps): NodePresences {
  const { bus, lines, topics, clock, options, onChanged } = deps
  const known = new Map<Topic, Known>()
  const unsaid = new Map<Topic, ToldChange[]>()
  const unasked = new Set<Known>()
  let hasGap = false
  const questions = createQuestions({
    ...deps,
    sayChanges,
    listOwn,
    onAnswer,
    onOverlooked: (node) => askAll(node, false),
  })

  function learn(topic: Topic): Promise<void> | undefined {
    const before = known.get(topic)
    if (before !== undefined || lines.isAlone()) return before?.learning?.promise
    const about = begin(topic)
    about.learning = Promise.withResolvers()
    askSoon(about)
    return about.learning.promise
  }

  function begin(topic: Topic): Known {
    const begunMs = clock.monotonic()
    const about: Known = { topic, byNode: new Map(), awaiting: new Set(), begunMs, askedMs: 0, learning: undefined }
    known.set(topic, about)
    return about
  }

  /** What many want to know in one turn is one question. */
  function askSoon(about: Known): void {
    if (unasked.size === 0) setImmediate(askUnasked)
    unasked.add(about)
    awaitFrom(about, lines.others())
  }

  function askUnasked(): void {
    questions.ask([...unasked].map(({ topic }) => topic))
    unasked.clear()
  }

  function askAll(node: string, isNew: boolean): void {
    for (const about of known.values()) awaitFrom(about, [node])
    questions.ask([...known.keys()], { node, isNew })
  }

  function awaitFrom(about: Known, nodes: readonly string[]): void {
    about.askedMs = clock.monotonic()
    for (const node of nodes) about.awaiting.add(node)
  }

  function onAnswer(topic: Topic, node: string, all: readonly ToldPresence[]): void {
    const about = known.get(topic)
    if (about === undefined || !lines.others().includes(node)) return
    settle(about, node, all)
    about.awaiting.delete(node)
    endWhenLearned(about)
  }

  function settle({ topic, byNode }: Known, node: string, all: readonly ToldPresence[]): void {
    const told = byNode.get(node)
    if (told === undefined && all.length === 0) return
    takeState((topic.presences ??= newPresences()), told ?? beginNode(byNode, node), all)
    onChanged(topic)
  }

  function endWhenLearned(about: Known): void {
    if (about.awaiting.size === 0) endLearning(about)
  }

  function endLearning(about: Known): void {
    const { learning } = about
    about.learning = undefined
    // After those who are there have been told, so that who comes is not told twice.
    if (learning !== undefined) setImmediate(learning.resolve)
  }

  function tell(topic: Topic, change: ToldChange): void {
    if (lines.isAlone()) return
    void learn(topic)
    if (unsaid.size === 0) setImmediate(sayChanges)
    const changes = unsaid.get(topic)
    if (changes === undefined) unsaid.set(topic, [change])
    else changes.push(change)
  }

  function sayChanges(): void {
    for (const [topic, all] of unsaid)
      for (const changes of inPieces(all, charactersOf, pieceCharactersMax))
        lines.say(topic, {
          kind: lineKinds.presenceChanges,
          body: Buffer.from(JSON.stringify(changes)),
          delivery: 'must',
        })
    unsaid.clear()
  }

  function hearChanges(topic: Topic, changes: readonly ToldChange[], from: string): void {
    const about = known.get(topic)
    // Who is not known to live is asked when it is.
    if (about === undefined || !lines.others().includes(from)) return
    const told = about.byNode.get(from) ?? beginNode(about.byNode, from)
    takeChanges((topic.presences ??= newPresences()), told, changes)
    onChanged(topic)
  }

  function listOwn({ name, isPrivate }: TopicName): readonly ToldPresence[] {
    const members = topics.find(name, isPrivate)?.members ?? []
    return [...members].flatMap(({ presence: { key, tracked } }) =>
      tracked === undefined ? [] : [[key, tracked.ref, tracked.json] as const],
    )
  }

  function onNode(node: string, is: 'here' | 'gone'): void {
    if (is === 'here') {
      for (const topic of topics.all()) if (!known.has(topic) && isAskedFor(topic)) begin(topic)
      return askAll(node, true)
    }
    for (const about of known.values()) {
      settle(about, node, [])
      about.byNode.delete(node)
      about.awaiting.delete(node)
      endWhenLearned(about)
    }
  }

  lines.hear(lineKinds.presenceChanges, (topic, body, from) =>
    hearChanges(topic, JSON.parse(body.toString()) as ToldChange[], from),
  )
  lines.onClosed((topic) => {
    const about = known.get(topic)
    if (about !== undefined) endLearning(about)
    known.delete(topic)
  })
  const stopWatching = bus.watch({ onNode, onGap: () => (hasGap = true) })

  return {
    learn,
    tell,
    look() {
      const nowMs = clock.monotonic()
      for (const about of known.values()) {
        const isLate = about.awaiting.size > 0 && nowMs - about.askedMs >= options.presenceAnswerTimeout
        if (nowMs - about.begunMs >= options.presenceTimeout) endLearning(about)
        if (hasGap || isLate) askSoon(about)
      }
      hasGap = false
      questions.look()
    },
    stop() {
      stopWatching()
      questions.stop()
    },
  }
}

/** Whether somebody in it wants to know who is there. */
const isAskedFor = ({ members }: Topic): boolean => members.values().some(({ presence }) => presence.enabled)

function beginNode(byNode: Map<string, ToldPresences>, node: string): ToldPresences {
  const told: ToldPresences = new Map()
  byNode.set(node, told)
  return told
}

const charactersOf = (change: ToldChange): number => change.reduce((sum, text) => sum + (text?.length ?? 0), 0)
