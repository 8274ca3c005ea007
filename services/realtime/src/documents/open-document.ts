import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { decodeStateVector, type Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import type { RealtimeOptions } from '../config.ts'
import { type AwarenessRoom, createAwarenessRoom } from './awareness-room.ts'
import type { KeptDocument } from './kept-document.ts'
import { documentRefusals as refusals } from './refusals.ts'
import { vectorWithout } from './take-in.ts'
import { parseDocumentMessage, toAnswer, toAsk, toAwareness, toUpdate } from './sync-messages.ts'

/** Somebody who works on a document. */
export type Peer = {
  /** Whether policies let it read the document, write to it, see what others show of themselves, show itself. */
  may(what: 'read' | 'write' | 'see' | 'show'): boolean
  send(message: Uint8Array): void
  /** Whether more waits for it than it takes; `onceDrained` calls back when it has taken that. */
  isBehind(): boolean
  onceDrained(callback: () => void): void
}

/** How a message went: undefined when it is done (an update: when it is in Postgres), else why not. */
export type Done = (refusal: string | undefined) => void

export type OpenDocument = {
  /** Takes a message of a peer. Never throws. */
  receive(peer: Peer, bytes: Uint8Array, done: Done): void
  leave(peer: Peer): void
  /** Somebody may have written on another node. */
  lookAgain(): void
  /** Members of another node show something of themselves. Throws when the bytes are no awareness. */
  showOthers(node: string, update: Uint8Array): void
  /** What members of this node show; undefined when that is nothing. */
  shownHere(): Uint8Array | undefined
  /** Another node is gone, and with it what its members show. */
  forgetNode(node: string): void
  /** Ends what it keeps going. */
  close(): void
}

export type OpenDocumentDeps = {
  readonly topic: string
  readonly kept: KeptDocument
  readonly options: RealtimeOptions
  readonly onFailed: (error: unknown) => void
  /** Tells other nodes what members of this one show of themselves. */
  readonly tellOthers: (update: Uint8Array) => void
  /** Nobody is there, and nothing is under way. */
  readonly onEmpty: () => void
}

type Edit = { readonly peer: Peer; readonly update: Uint8Array; readonly done: Done }

type Seat = {
  /** What it has when it lacks something: because it asked, or because it was too slow to be told. */
  lack: { readonly stateVector: Uint8Array; readonly done: Done | undefined } | undefined
  /** Whether it has the document, and is told of all that comes. */
  isFollowing: boolean
  /** Whether it asked what the others show. */
  isLooking: boolean
  isWaited: boolean
}

/** One is usual; more come from a page that makes its document anew on the same channel. */
const statesMax = 8
/** A document is written anew for each who asks; between so many the node does something else. */
const answersPerTurn = 16
/** After a failure nothing is tried for so long. */
const failureMs = 500

/**
 * A document that somebody works on. It goes in turns: read what other nodes wrote, put into Postgres what came meanwhile
 * in one row, tell everybody, answer those who asked. So nobody hears of what Postgres does not have.
 */
export function createOpenDocument(deps: OpenDocumentDeps): OpenDocument {
  const { topic, kept, options, onFailed, tellOthers, onEmpty } = deps
  const { documentBytesMax, documentUpdateBytesMax, presenceBytesMax } = options
  const seats = new Map<Peer, Seat>()
  let inbox: Edit[] = []
  let inboxBytes = 0
  let isStale = false
  let isRunning = false
  let isClosed = false
  let room: AwarenessRoom<Peer> | undefined

  function receive(peer: Peer, bytes: Uint8Array, done: Done): void {
    const message = parseDocumentMessage(bytes)
    if (message === undefined) return done(refusals.malformed())
    if (!seats.has(peer)) seats.set(peer, { lack: undefined, isFollowing: false, isLooking: false, isWaited: false })
    switch (message.kind) {
      case 'ask':
        return ask(peer, message.stateVector, done)
      case 'answer':
        return edit({ peer, update: message.update, done }, documentBytesMax)
      case 'update':
        return edit({ peer, update: message.update, done }, documentUpdateBytesMax)
      case 'awareness':
        return show(peer, message.update, done)
      case 'askAwareness':
        seats.get(peer)!.isLooking = true
        run()
        return done(undefined)
    }
  }

  function ask(peer: Peer, stateVector: Uint8Array, done: Done): void {
    if (!peer.may('read')) return done(refusals.mayNotRead(topic))
    if (!isStateVector(stateVector)) return done(refusals.malformed())
    const seat = seats.get(peer)!
    seat.lack?.done?.(undefined)
    seat.lack = { stateVector, done }
    // It may have seen what another node has not told of yet.
    isStale = true
    run()
  }

  function edit(one: Edit, bytesMax: number): void {
    const { peer, update, done } = one
    if (!peer.may('write')) return done(refusals.mayNotWrite(topic))
    if (update.length > bytesMax) return done(refusals.updateTooLarge(update.length, bytesMax))
    // Postgres is slower than its writers.
    if (inboxBytes > documentBytesMax) return done(refusals.unavailable())
    inbox.push(one)
    inboxBytes += update.length
    run()
  }

  function show(peer: Peer, update: Uint8Array, done: Done): void {
    if (!peer.may('show')) return done(refusals.mayNotShow(topic))
    if (update.length > presenceBytesMax) return done(refusals.awarenessTooLarge(presenceBytesMax))
    let refusal: string | undefined
    try {
      if (!openRoom().show(peer, update)) refusal = refusals.awarenessTooMany(statesMax)
    } catch {
      refusal = refusals.malformed()
    }
    done(refusal)
  }

  function openRoom(): AwarenessRoom<Peer> {
    room ??= createAwarenessRoom<Peer>({ statesMax, tell: tellAwareness, tellOthers })
    return room
  }

  function tellAwareness(changed: Uint8Array, from: Peer | undefined): void {
    const message = toAwareness(changed)
    for (const [other, seat] of seats) {
      if (other === from || !other.may('see')) continue
      if (other.isBehind()) seat.isLooking = true
      else other.send(message)
    }
  }

  const hasWork = (): boolean => !isClosed && (isStale || inbox.length > 0 || answerable().length > 0)

  function run(): void {
    if (isRunning || isClosed) return
    isRunning = true
    void (async () => {
      while (hasWork()) {
        await turn()
        await setImmediate()
      }
      isRunning = false
      if (seats.size === 0 && !isClosed) onEmpty()
    })()
  }

  async function turn(): Promise<void> {
    const batch = takeBatch()
    try {
      if (isStale || kept.doc() === undefined) {
        isStale = false
        if (!(await kept.read())) return await refuseAll(batch, refusals.full())
      }
      const refused = batch.length === 0 ? [] : await kept.write(batch.map(({ update }) => update))
      const doc = kept.doc()
      tellNews(doc, new Set(batch.filter((_, index) => refused[index] === undefined).map(({ peer }) => peer)))
      batch.forEach(({ done }, index) => done(refused[index]))
      if (doc === undefined) isStale = true
      else answer(doc)
    } catch (error) {
      if (isClosed) return
      onFailed(error)
      return await refuseAll(batch, refusals.unavailable())
    }
    // Nobody waits for it; what fails is due again in the next turn.
    await kept.foldWhenDue().catch(onFailed)
  }

  /** What goes into one row of Postgres. */
  function takeBatch(): readonly Edit[] {
    let bytes = 0
    const end = inbox.findIndex(({ update }) => (bytes += update.length) > documentUpdateBytesMax)
    const batch = inbox.splice(0, end === -1 ? inbox.length : Math.max(1, end))
    for (const { update } of batch) inboxBytes -= update.length
    return batch
  }

  async function refuseAll(batch: readonly Edit[], reason: string): Promise<void> {
    for (const { done } of batch) done(reason)
    for (const seat of seats.values()) {
      // One that was too slow is still told later.
      if (seat.lack?.done === undefined) continue
      seat.lack.done(reason)
      seat.lack = undefined
      seat.isFollowing = false
    }
    await sleep(failureMs, undefined, { ref: false })
  }

  function tellNews(doc: Doc | undefined, writers: ReadonlySet<Peer>): void {
    const news = kept.takeNews()
    if (news === undefined) return
    const message = toUpdate(news.update)
    const [writer] = news.isExact && writers.size === 1 ? writers : []
    let stateVector: Uint8Array | undefined
    for (const [peer, seat] of seats) {
      // Who lacks something gets this with it.
      if (peer === writer || !seat.isFollowing || seat.lack !== undefined || !peer.may('read')) continue
      if (!peer.isBehind()) peer.send(message)
      else seat.lack = { stateVector: (stateVector ??= vectorWithout(doc, [news.update])), done: undefined }
    }
  }

  /** Those who lack something and take what they are sent; the others are looked at again when they do. */
  function answerable(): readonly (readonly [Peer, Seat])[] {
    const lacking = [...seats].filter(([, { lack, isLooking }]) => lack !== undefined || isLooking)
    for (const [peer, seat] of lacking) {
      if (seat.isWaited || !peer.isBehind()) continue
      seat.isWaited = true
      peer.onceDrained(() => {
        seat.isWaited = false
        run()
      })
    }
    return lacking.filter(([peer]) => !peer.isBehind())
  }

  function answer(doc: Doc): void {
    for (const [peer, seat] of answerable().slice(0, answersPerTurn)) {
      if (seat.lack !== undefined) tellLacking(doc, peer, seat)
      if (seat.isLooking && !peer.isBehind()) tellShown(peer, seat)
    }
  }

  function tellLacking(doc: Doc, peer: Peer, seat: Seat): void {
    const { stateVector, done } = seat.lack!
    const update = encodeStateAsUpdate(doc, stateVector)
    seat.lack = undefined
    if (done === undefined) return peer.send(toUpdate(update))
    seat.isFollowing = true
    seat.isLooking = true
    // Who gets the document without having been asked may only read.
    if (peer.may('write')) peer.send(toAsk(encodeStateVector(doc)))
    peer.send(toAnswer(update))
    done(undefined)
  }

  function tellShown(peer: Peer, seat: Seat): void {
    seat.isLooking = false
    const shown = peer.may('see') ? room?.all() : undefined
    if (shown !== undefined) peer.send(toAwareness(shown))
  }

  return {
    receive,
    leave(peer) {
      seats.delete(peer)
      room?.leave(peer)
      if (seats.size === 0 && !isRunning && !isClosed) onEmpty()
    },
    lookAgain() {
      isStale = true
      run()
    },
    showOthers: (node, update) => openRoom().showOthers(node, update),
    shownHere: () => room?.own(),
    forgetNode: (node) => room?.leave(node),
    close() {
      isClosed = true
      room?.close()
      kept.forget()
    },
  }
}

function isStateVector(bytes: Uint8Array): boolean {
  try {
    decodeStateVector(bytes)
    return true
  } catch {
    return false
  }
}
