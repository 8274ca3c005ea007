import type { Clock } from '@pando/core/clock'
import type { Delivery } from './bus.ts'
import type { Carrier } from './carrier.ts'
import type { BusValues } from './config.ts'
import { encodeEnvelope } from './envelope.ts'
import { createKeptMessages } from './kept-messages.ts'
import { encodeNote, type Note } from './note.ts'
import type { CarrierName, Observe } from './observation.ts'
import type { Peers } from './peers.ts'

export type OutboxDeps = {
  readonly nodeId: string
  readonly clock: Clock
  readonly observe: Observe
  readonly options: BusValues
  readonly postgres: Carrier
  readonly redis: Carrier | undefined
  readonly peers: Peers
}

/** Not an option: it only keeps the questions that several put at once from being answered each. */
const repeatPauseMs = 200

/** What this process sends. */
export function createOutbox({ nodeId, clock, observe, options, postgres, redis, peers }: OutboxDeps) {
  const kept = createKeptMessages({
    keepMs: options.silence,
    bytesMax: options.pendingBytesMax,
    repeatBytesMax: options.repeatBytesMax,
    repeatPauseMs,
  })
  /** What carries `may` messages. */
  const quick = redis ?? postgres
  let musts = 0
  let mays = 0
  let notes = 0
  let losses = 0
  /** Something was dropped, and the others have not been told. */
  let hasLost = false
  let wasCutOff = true

  const isCutOff = (): boolean => !postgres.isUp && redis?.isUp !== true
  /** The time in which nobody can ask does not count. */
  const expire = (): void => {
    const nowMs = clock.monotonic()
    if (wasCutOff) kept.renew(nowMs)
    else kept.expire(nowMs)
    wasCutOff = isCutOff()
  }

  const tell = (note: Note): void => {
    notes++
    const frame = encodeEnvelope({ kind: 'note', sender: nodeId, number: notes, channel: '', body: encodeNote(note) })
    postgres.send(frame)
    redis?.send(frame)
  }
  const drop = (delivery: Delivery, bytes: number, why: 'too_large' | 'away'): void => {
    hasLost = true
    observe({ kind: 'message.dropped', delivery, bytes, why })
  }
  const publishMust = (channel: string, body: Uint8Array): void => {
    musts++
    const frame = encodeEnvelope({ kind: 'must', sender: nodeId, number: musts, channel, body })
    kept.add(musts, frame, clock.monotonic())
    const sent = (by: CarrierName): void => observe({ kind: 'message.sent', by, delivery: 'must', bytes: frame.length })
    const byRedis = redis?.send(frame) ?? false
    if (byRedis) sent('redis')
    // Who lacks it because neither carries it asks for it.
    if ((!byRedis || !peers.allHearRedis()) && postgres.isUp && postgres.send(frame)) sent('postgres')
  }
  const publishMay = (channel: string, body: Uint8Array): void => {
    if (!quick.isUp) return drop('may', body.length, 'away')
    mays++
    const frame = encodeEnvelope({ kind: 'may', sender: nodeId, number: mays, channel, body })
    if (!quick.send(frame, channel)) return drop('may', body.length, 'away')
    observe({ kind: 'message.sent', by: quick.name, delivery: 'may', bytes: frame.length })
  }
  return {
    tell,
    publish: (channel: string, message: Uint8Array, delivery: Delivery): void => {
      if (peers.size === 0) return
      if (message.length > options.messageBytesMax) return drop(delivery, message.length, 'too_large')
      if (delivery === 'must') publishMust(channel, message)
      else publishMay(channel, message)
    },
    /** `asks` makes the others name themselves at once, and `answers` says who did. */
    beat: ({ asks = false, answers }: { asks?: boolean; answers?: string } = {}): void => {
      expire()
      // Told when what is asked for then can arrive.
      if (hasLost && quick.isUp) {
        losses++
        hasLost = false
      }
      tell({ is: 'beat', last: musts, redis: redis?.isUp ?? false, losses, asks, answers })
    },
    bye: (): void => tell({ is: 'bye', last: musts }),
    /** A carrier went, maybe with messages. */
    lost: (by: CarrierName): void => {
      if (by === quick.name && peers.size > 0) hasLost = true
    },
    /** Sends once more what another process lacks. */
    repeat: (to: string, from: number): void => {
      const first = kept.first ?? musts + 1
      if (first > from) tell({ is: 'forgotten', to, first })
      const carrier = postgres.isUp || redis === undefined ? postgres : redis
      const messages = kept.repeat(from, clock.monotonic(), (frame) => carrier.send(frame))
      if (messages > 0) observe({ kind: 'messages.repeated', messages })
    },
  }
}

export type Outbox = ReturnType<typeof createOutbox>
