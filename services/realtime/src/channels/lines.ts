import type { Bus, Delivery, Subscription } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import { hash } from 'node:crypto'
import type { RealtimeOptions } from '../config.ts'
import type { Topic, TopicName, Topics } from './topics.ts'

/** What nodes tell each other about a topic: the first byte of each message. Others, of newer nodes, are passed over. */
export const lineKinds = {
  broadcast: 1,
  presenceChanges: 2,
  awareness: 3,
  awarenessQuestion: 4,
} as const

export type LineKind = (typeof lineKinds)[keyof typeof lineKinds]

export type Said = { readonly kind: LineKind; readonly body: Uint8Array; readonly delivery: Delivery }

type Hear = (topic: Topic, body: Buffer, from: string) => void

export type LinesDeps = {
  readonly bus: Pick<Bus, 'publish' | 'subscribe' | 'nodes' | 'watch'>
  readonly topics: Topics
  readonly clock: Clock
  readonly options: Pick<RealtimeOptions, 'lineTimeout'>
  /** A message of another node that could not be understood. */
  readonly onMalformed: (error: unknown) => void
}

/** Lines to the other nodes, one for each topic that somebody is in here. A node that is alone has none. */
export type Lines = {
  /** While no other node lives nothing is said. */
  isAlone(): boolean
  others(): readonly string[]
  /** Says something to the members of a topic on other nodes, whether or not it has any here. */
  say(topic: TopicName, said: Said): void
  /** Who listens to a kind of message. */
  hear(kind: LineKind, listener: Hear): void
  /** Calls back when a topic was left by its last member a while ago: what other nodes said about it can be forgotten. */
  onClosed(listener: (topic: Topic) => void): void
  /**
   * Hears from now on what other nodes say about a held topic. Fulfils when nothing more is missed, after `lineTimeout` at
   * the latest; undefined when that is now.
   */
  open(topic: Topic): Promise<void> | undefined
  /** Each second or so: gives up waiting, and closes lines of topics that nobody has been in since the last time. */
  look(): void
  stop(): void
}

type Line = {
  readonly topic: Topic
  readonly subscription: Subscription
  readonly openedMs: number
  /** Undefined from when it is heard. */
  opening: PromiseWithResolvers<void> | undefined
  /** Nobody was in the topic when it was looked at last. */
  isIdle: boolean
}

export function createLines({ bus, topics, clock, options, onMalformed }: LinesDeps): Lines {
  const lines = new Map<Topic, Line>()
  const listeners = new Map<number, Hear>()
  const closeListeners: ((topic: Topic) => void)[] = []
  let others = bus.nodes()
  const stopWatching = bus.watch({ onNode: lookAround })

  const isAlone = (): boolean => others.length === 0

  function lookAround(): void {
    others = bus.nodes()
    if (!isAlone()) for (const topic of topics.all()) open(topic)
  }

  function open(topic: Topic): Promise<void> | undefined {
    return isAlone() ? undefined : (lines.get(topic) ?? begin(topic)).opening?.promise
  }

  function begin(topic: Topic): Line {
    topics.hold(topic)
    const subscription = bus.subscribe(channelOf(topic), (message, from) => dispatch(topic, message, from))
    const openedMs = clock.monotonic()
    const line: Line = { topic, subscription, openedMs, opening: Promise.withResolvers(), isIdle: false }
    lines.set(topic, line)
    void subscription.ready.then(() => settle(line))
    return line
  }

  function settle(line: Line): void {
    line.opening?.resolve()
    line.opening = undefined
  }

  function dispatch(topic: Topic, message: Buffer, from: string): void {
    try {
      listeners.get(message[0]!)?.(topic, message.subarray(1), from)
    } catch (error) {
      onMalformed(error)
    }
  }

  function close(line: Line): void {
    settle(line)
    line.subscription.end()
    lines.delete(line.topic)
    for (const listener of closeListeners) listener(line.topic)
    topics.release(line.topic)
  }

  function look(): void {
    const nowMs = clock.monotonic()
    for (const line of lines.values()) {
      if (line.opening !== undefined && nowMs - line.openedMs >= options.lineTimeout) settle(line)
      // The line itself is what holds it.
      const isIdle = line.topic.members.size === 0 && line.topic.holds === 1
      if (isIdle && line.isIdle) close(line)
      line.isIdle = isIdle
    }
  }

  return {
    isAlone,
    others: () => others,
    say(topic, { kind, body, delivery }) {
      if (!isAlone()) bus.publish(channelOf(topic), withKind(kind, body), delivery)
    },
    hear: (kind, listener) => void listeners.set(kind, listener),
    onClosed: (listener) => void closeListeners.push(listener),
    open,
    look,
    stop() {
      stopWatching()
      for (const line of lines.values()) close(line)
    },
  }
}

/** Names of topics may be of many thousand characters, those of the bus not: longer ones go by their digest. */
const nameLengthMax = 200

function channelOf({ name, isPrivate }: TopicName): string {
  const scope = isPrivate ? 'private' : 'public'
  return name.length <= nameLengthMax ? `realtime:${scope}:${name}` : `realtime:${scope}#${hash('sha256', name)}`
}

function withKind(kind: LineKind, body: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(1 + body.length)
  message[0] = kind
  message.set(body, 1)
  return message
}
