import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import type { Lines } from '../channels/lines.ts'
import type { Topic, TopicName } from '../channels/topics.ts'
import type { RealtimeOptions } from '../config.ts'
import { inPieces, type ToldPresence } from './told-presences.ts'

export type QuestionsDeps = {
  readonly bus: Pick<Bus, 'nodeId' | 'publish' | 'subscribe'>
  readonly lines: Pick<Lines, 'others'>
  readonly clock: Clock
  readonly options: Pick<RealtimeOptions, 'presenceAnswerTimeout'>
  /** Says which changes have not been said yet: an answer comes after all that it knows of. */
  readonly sayChanges: () => void
  /** The presences of this node in a topic. */
  readonly listOwn: (topic: TopicName) => readonly ToldPresence[]
  /** Takes in everybody whom another node has in a topic. */
  readonly onAnswer: (topic: Topic, node: string, all: readonly ToldPresence[]) => void
  /** Another node had taken this one for gone, which has not heard of it meanwhile. */
  readonly onOverlooked: (node: string) => void
  /** A message of another node that could not be understood. */
  readonly onMalformed: (error: unknown) => void
}

/** Nodes ask each other whom they have in topics. Answers are in order with the changes that the same node tells. */
export type Questions = {
  /** Asks all other nodes, or one. `isNew`: that one was taken for gone, or has just come, and should ask in turn. */
  ask(topics: readonly Topic[], whom?: { readonly node: string; readonly isNew: boolean }): void
  /** Each second or so: forgets what nobody answers any more. */
  look(): void
  stop(): void
}

/** Topics in one question. */
const topicsMax = 1_000
/** Answers that are longer go in pieces of about this. */
export const pieceCharactersMax = 512 * 1024

type Asked = { readonly id: number; readonly isNew: boolean; readonly topics: readonly (readonly [string, boolean])[] }

/** Some of those who are there, each with the place of their topic in the question. */
type Piece = {
  readonly id: number
  readonly piece: number
  readonly isLast: boolean
  readonly present: readonly (readonly [at: number, ...presence: ToldPresence])[]
}

type Open = { readonly topics: readonly Topic[]; readonly askedMs: number; readonly pieces: Map<string, Piece[]> }

export function createQuestions(deps: QuestionsDeps): Questions {
  const { bus, lines, clock, options, sayChanges, listOwn, onAnswer, onOverlooked, onMalformed } = deps
  const open = new Map<number, Open>()
  let questions = 0

  const ask: Questions['ask'] = (topics, whom) => {
    const channel = whom === undefined ? everybody : addressOf(whom.node)
    let isNew = whom?.isNew === true
    for (let from = 0; from < topics.length || isNew; from += topicsMax) {
      const some = topics.slice(from, from + topicsMax)
      const id = (questions += 1)
      open.set(id, { topics: some, askedMs: clock.monotonic(), pieces: new Map() })
      const asked: Asked = { id, isNew, topics: some.map(({ name, isPrivate }) => [name, isPrivate]) }
      bus.publish(channel, toBytes({ asked }), 'must')
      isNew = false
    }
  }

  function answer({ id, isNew, topics }: Asked, from: string): void {
    sayChanges()
    const present = topics.flatMap(([name, isPrivate], at) =>
      listOwn({ name, isPrivate }).map((presence) => [at, ...presence] as const),
    )
    const pieces = inPieces(present, ([, key, ref, json]) => key.length + ref.length + json.length, pieceCharactersMax)
    pieces.forEach((some, piece) => {
      const told: Piece = { id, piece, isLast: piece === pieces.length - 1, present: some }
      bus.publish(addressOf(from), toBytes({ told }), 'must')
    })
    if (isNew) onOverlooked(from)
  }

  function hearPiece(told: Piece, from: string): void {
    const question = open.get(told.id)
    if (question === undefined) return
    const pieces = question.pieces.get(from) ?? []
    pieces.push(told)
    question.pieces.set(from, pieces)
    if (!told.isLast) return
    question.pieces.delete(from)
    // What was lost is asked for again.
    if (pieces.some(({ piece }, at) => piece !== at)) return
    const byTopic = Map.groupBy(
      pieces.flatMap(({ present }) => present),
      ([at]) => at,
    )
    question.topics.forEach((topic, at) => {
      const present = byTopic.get(at) ?? []
      onAnswer(
        topic,
        from,
        present.map(([, ...presence]) => presence),
      )
    })
  }

  function hear(message: Buffer, from: string): void {
    try {
      // Who is not known to live is asked when it is.
      if (!lines.others().includes(from)) return
      const { asked, told } = JSON.parse(message.toString()) as { asked?: Asked; told?: Piece }
      if (asked !== undefined) answer(asked, from)
      if (told !== undefined) hearPiece(told, from)
    } catch (error) {
      onMalformed(error)
    }
  }

  const subscriptions = [everybody, addressOf(bus.nodeId)].map((channel) => bus.subscribe(channel, hear))
  return {
    ask,
    look() {
      const nowMs = clock.monotonic()
      for (const [id, { askedMs }] of open) if (nowMs - askedMs >= options.presenceAnswerTimeout) open.delete(id)
    },
    stop: () => subscriptions.forEach((subscription) => subscription.end()),
  }
}

/** Where questions to all nodes go, and what one node is told alone. */
const everybody = 'realtime:presence'
const addressOf = (node: string): string => `${everybody}:${node}`

const toBytes = (value: object): Buffer => Buffer.from(JSON.stringify(value))
