import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import type { Logger } from '@pando/telemetry/logger'
import { decodeBroadcast, encodeBroadcast, type PassedOn } from '../broadcast/line-broadcast.ts'
import type { RealtimeOptions } from '../config.ts'
import { createNodePresences } from '../presence/node-presences.ts'
import type { ToldChange } from '../presence/told-presences.ts'
import { lineKinds, type Lines } from './lines.ts'
import type { Topic, TopicName, Topics } from './topics.ts'

export type FleetDeps = {
  readonly bus: Bus
  readonly lines: Lines
  readonly topics: Topics
  readonly clock: Clock
  readonly logger: Logger
  readonly options: RealtimeOptions
  /** A message that was sent on another node. */
  readonly onBroadcast: (topic: Topic, sent: PassedOn) => void
  /** Somebody has come or gone on another node. */
  readonly onPresences: (topic: Topic) => void
}

/** The other nodes, as channels see them. While none lives, nothing here costs anything. */
export type Fleet = {
  /**
   * Hears what is said in a held topic on other nodes, and knows who is there, if that is asked for. Fulfils when nothing is
   * missed any more; undefined when that is now.
   */
  follow(topic: Topic, asks: { readonly presence: boolean }): Promise<void> | undefined
  /** Sends to the members on other nodes. */
  passOn(topic: TopicName, sent: PassedOn): void
  tellPresence(topic: Topic, change: ToldChange): void
  /** Each second or so. */
  look(): void
  stop(): void
}

export function createFleet(deps: FleetDeps): Fleet {
  const { lines, logger, onBroadcast, onPresences } = deps
  const presences = createNodePresences({
    ...deps,
    onChanged: onPresences,
    onMalformed: (error) => logger.warn({ err: error }, 'what another node says about presences is malformed'),
  })
  lines.hear(lineKinds.broadcast, (topic, body) => onBroadcast(topic, decodeBroadcast(body)))
  return {
    follow(topic, asks) {
      const opening = lines.open(topic)
      if (!asks.presence) return opening
      return opening === undefined ? presences.learn(topic) : opening.then(() => presences.learn(topic))
    },
    passOn(topic, sent) {
      if (!lines.isAlone())
        lines.say(topic, { kind: lineKinds.broadcast, body: encodeBroadcast(sent), delivery: 'may' })
    },
    tellPresence: presences.tell,
    look() {
      lines.look()
      presences.look()
    },
    stop() {
      presences.stop()
      lines.stop()
    },
  }
}
