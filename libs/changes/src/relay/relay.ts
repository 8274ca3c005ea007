import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import type { Log } from '../log.ts'
import type { Observe } from '../observation.ts'
import { createFollowing } from './following.ts'
import { createLogMessageDecoder, encodeLogMessage, type LogMessage } from './log-message.ts'
import { createPieceJoiner, splitMessage } from './pieces.ts'
import { createTelling, type Send } from './telling.ts'

export type RelayDeps = {
  readonly bus: Bus
  readonly log: Log
  readonly clock: Clock
  readonly observe: Observe
  readonly transactionBytesMax: number
  /** Without a word of the process that reads for this long, the log is not followed. */
  readonly silenceMs: number
  /** The log is followed, from now on. */
  readonly onFollowing: () => void
}

/** What the process that reads the log tells the others, and what they make of it. */
export type Relay = {
  start(): void
  stop(): void
  /** Another process reads: this one follows it. Called again and again while that is so. */
  follow(): void
  /** This process is about to read: what others say is not taken any more. */
  pause(): void
  /** This process reads the log from its place on, and tells the others. */
  lead(): void
  /** How far the log is that this process reads; called again and again. */
  tick(): void
  /** Whether the log is kept up with what another process reads. */
  readonly isFollowing: boolean
  /** Whether there are other processes that may read. */
  readonly hasOthers: boolean
}

const channel = 'changes'
const channelOf = (node: string): string => `changes:${node}`

/** A control character of a value is six bytes of JSON. */
const jsonFactor = 6

export function createRelay(deps: RelayDeps): Relay {
  const { bus, log, clock, observe } = deps
  const decode = createLogMessageDecoder()
  const joiner = createPieceJoiner(deps.transactionBytesMax * jsonFactor)
  let mode: 'following' | 'paused' | 'leading' = 'following'
  let messages = 0
  let ends: (() => void)[] = []

  const hasOthers = (): boolean => bus.nodes().length > 0
  const send: Send = (message, to) => {
    const bytes = encodeLogMessage(message)
    messages = (messages + 1) % 2 ** 32
    const name = to === undefined ? channel : channelOf(to)
    for (const piece of splitMessage(bytes, messages)) bus.publish(name, piece, 'must')
  }
  const telling = createTelling({ log, observe, hasOthers, send })
  const following = createFollowing({ ...deps, nodeId: bus.nodeId, send })

  const take = (message: LogMessage): void => {
    if (message.is !== 'ask') return mode === 'following' ? following.take(message) : undefined
    if (mode === 'leading') telling.answer(message)
  }
  const onPiece = (piece: Buffer, from: string): void => {
    try {
      const message = joiner.take(piece, from)
      if (message !== undefined) take(decode(message))
    } catch (cause) {
      observe({ kind: 'relay.failed', cause })
    }
  }
  return {
    start: () => {
      ends = [
        log.watch({
          onTransaction: telling.transaction,
          onReset: (reason, at) => {
            if (!following.isResetting) telling.reset(reason, at)
          },
        }),
        bus.subscribe(channel, onPiece).end,
        bus.subscribe(channelOf(bus.nodeId), onPiece).end,
        bus.watch({
          onGap: () => {
            if (mode === 'following' && hasOthers()) following.askAnew()
          },
          onNode: (node, is) => {
            if (is === 'gone') joiner.forget(node)
          },
        }),
      ]
    },
    stop: () => ends.forEach((end) => end()),
    follow: () => {
      mode = 'following'
      telling.end()
      log.window.expire(clock.monotonic())
      if (hasOthers() && (!log.hasBegun || following.isAsking)) following.ask()
    },
    pause: () => {
      mode = 'paused'
      telling.end()
    },
    lead: () => {
      mode = 'leading'
      telling.begin()
    },
    tick: telling.place,
    get isFollowing() {
      return mode === 'following' && log.hasBegun && clock.monotonic() - following.heardAtMs < deps.silenceMs
    },
    get hasOthers() {
      return hasOthers()
    },
  }
}
