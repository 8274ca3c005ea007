import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import type { Relation, Transaction } from '../change.ts'
import type { Log } from '../log.ts'
import type { Observe } from '../observation.ts'
import { createLogMessageDecoder, encodeLogMessage, type LogMessage, type Stretch } from './log-message.ts'
import { createPieceJoiner, pieceBytesMax, splitMessage } from './pieces.ts'

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

type Reset = Extract<LogMessage, { is: 'reset' }>
type Ask = Extract<LogMessage, { is: 'ask' }>
type ResetPlace = { readonly lsn: bigint; readonly relations?: readonly Relation[] } | undefined

const channel = 'changes'
const channelOf = (node: string): string => `changes:${node}`

/** After this an answer is asked for again. */
const answerMs = 1000
/** A control character of a value is six bytes of JSON. */
const jsonFactor = 6

export function createRelay(deps: RelayDeps): Relay {
  const { bus, log, clock, observe } = deps
  const decode = createLogMessageDecoder()
  const joiner = createPieceJoiner(deps.transactionBytesMax * jsonFactor)
  let mode: 'following' | 'paused' | 'leading' = 'following'
  /** Of the log that this process reads, how far the others have been told, or could have been. */
  let told = 0n
  let messages = 0
  let askedAtMs = -Infinity
  let heardAtMs = -Infinity
  /** A reset that came from another process is not told again. */
  let isApplying = false
  let ends: (() => void)[] = []

  const hasOthers = (): boolean => bus.nodes().length > 0
  const send = (message: LogMessage, to?: string): void => {
    const bytes = encodeLogMessage(message)
    messages = (messages + 1) % 2 ** 32
    const name = to === undefined ? channel : channelOf(to)
    for (const piece of splitMessage(bytes, messages)) bus.publish(name, piece, 'must')
  }
  const toStretch = (part: Pick<Stretch, 'from' | 'to'> & Partial<Stretch>): Stretch => ({
    is: 'stretch',
    server: log.server,
    hasMore: false,
    transactions: [],
    ...part,
  })
  const tellTransaction = (transaction: Transaction, endLsn: bigint): void => {
    if (mode !== 'leading') return
    const from = told
    told = endLsn
    if (!hasOthers()) return
    try {
      send(toStretch({ from, to: endLsn, transactions: [{ transaction, endLsn }] }))
    } catch (cause) {
      // Too long for one text. Who needs it asks, and is told to begin anew.
      observe({ kind: 'relay.failed', cause })
    }
  }
  const tellReset = (reason: string, at: ResetPlace): void => {
    const from = mode === 'leading' ? told : (at?.lsn ?? 0n)
    told = at?.lsn ?? 0n
    if (isApplying || !hasOthers()) return
    send({ is: 'reset', server: log.server, from, to: at?.lsn, reason, relations: at?.relations })
  }
  const answer = ({ node, server, since }: Ask): void => {
    const isOfThisLog = server === undefined || server === log.server
    const { floor, reachedLsn } = log.window
    const from = since ?? floor.lsn
    const kept = isOfThisLog ? log.window.after(from) : undefined
    if (kept === undefined) return send({ is: 'too_old' }, node)
    let bytes = 0
    const end = kept.findIndex(({ transaction }) => (bytes += transaction.bytes) > pieceBytesMax)
    const transactions = end < 0 ? kept : kept.slice(0, Math.max(1, end))
    const hasMore = transactions.length < kept.length
    const to = hasMore ? transactions.at(-1)!.endLsn : reachedLsn > from ? reachedLsn : from
    observe({ kind: 'relay.answered', transactions: transactions.length, hasMore })
    try {
      send(toStretch({ from, to, hasMore, transactions, floor: since === undefined ? floor.cursor : undefined }), node)
    } catch (cause) {
      observe({ kind: 'relay.failed', cause })
      send({ is: 'too_old' }, node)
    }
  }

  const apply = (reason: string, at?: ResetPlace): void => {
    isApplying = true
    log.reset(reason, at)
    isApplying = false
  }
  const ask = (): void => {
    const nowMs = clock.monotonic()
    if (nowMs - askedAtMs < answerMs) return
    askedAtMs = nowMs
    const since = log.hasBegun ? log.window.reachedLsn : undefined
    observe({ kind: 'relay.asked', isNew: since === undefined })
    send({ is: 'ask', node: bus.nodeId, server: log.hasBegun ? log.server : undefined, since })
  }
  const takeStretch = (stretch: Stretch): void => {
    const { from, to, floor, transactions } = stretch
    if (!log.hasBegun) {
      if (floor === undefined) return ask()
      log.server = stretch.server
      log.begin(from, floor)
    } else if (from > log.window.reachedLsn) return ask()
    for (const { transaction, endLsn } of transactions) log.append(transaction, endLsn)
    log.reach(to)
    if (floor !== undefined || stretch.hasMore) askedAtMs = -Infinity
    if (stretch.hasMore) ask()
    else deps.onFollowing()
  }
  const takeReset = ({ from, to, reason, relations }: Reset): void => {
    if (to === undefined) return apply(reason)
    if (!log.hasBegun || from > log.window.reachedLsn) return ask()
    const { reachedLsn } = log.window
    apply(reason, { lsn: to > reachedLsn ? to : reachedLsn, relations })
  }
  const takeTooOld = (): void => {
    if (log.hasBegun) apply('more was missed of what another process reads than it keeps')
    askedAtMs = -Infinity
    ask()
  }
  const take = (message: LogMessage): void => {
    if (message.is === 'ask') return mode === 'leading' ? answer(message) : undefined
    if (mode !== 'following') return
    heardAtMs = clock.monotonic()
    if (message.is === 'too_old') return takeTooOld()
    if (log.hasBegun && message.server !== log.server) {
      apply('this is another server, or it was restored, or another took over')
    }
    if (message.is === 'reset') takeReset(message)
    else takeStretch(message)
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
        log.watch({ onTransaction: tellTransaction, onReset: tellReset }),
        bus.subscribe(channel, onPiece).end,
        bus.subscribe(channelOf(bus.nodeId), onPiece).end,
        bus.watch({
          onGap: () => {
            askedAtMs = -Infinity
            if (mode === 'following' && hasOthers()) ask()
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
      log.window.expire(clock.monotonic())
      if (hasOthers() && (!log.hasBegun || askedAtMs > -Infinity)) ask()
    },
    pause: () => {
      mode = 'paused'
    },
    lead: () => {
      mode = 'leading'
      told = log.window.reachedLsn
    },
    tick: () => {
      const from = told
      told = log.window.reachedLsn
      if (hasOthers()) send(toStretch({ from, to: told }))
    },
    get isFollowing() {
      return mode === 'following' && log.hasBegun && clock.monotonic() - heardAtMs < deps.silenceMs
    },
    get hasOthers() {
      return hasOthers()
    },
  }
}
