import { decodeNote } from './note.ts'
import type { CarrierName, Observe } from './observation.ts'
import type { Outbox } from './outbox.ts'
import type { Message, Peer, Peers } from './peers.ts'
import type { Watchers } from './watchers.ts'

export type InboxDeps = {
  readonly nodeId: string
  readonly observe: Observe
  readonly peers: Peers
  readonly outbox: Outbox
  readonly watchers: Watchers
  /** Passes a message on to those who listen. */
  deliver(message: Message): void
}

/** What is made of a message or note of another process, by whichever carrier it comes. */
export function createInbox({ nodeId, observe, peers, outbox, watchers, deliver }: InboxDeps) {
  const takeMust = (message: Message, peer: Peer): boolean => {
    const isNew = peer.messages.take(message.number, message, message.body.length)
    peers.look(peer)
    return isNew
  }
  const takeMay = (message: Message, peer: Peer): boolean => {
    if (message.number <= peer.mayNumber) return false
    peer.mayNumber = message.number
    deliver(message)
    return true
  }
  const takeNote = ({ sender, number, body }: Message, peer: Peer | undefined): void => {
    const note = decodeNote(body)
    if (note === undefined || peers.isDeparted(sender)) return
    if (peer === undefined) {
      if (note.is !== 'beat') return
      peers.add(sender, number, note)
      if (note.answers === nodeId) peers.met(sender)
      return outbox.beat(note.asks ? { answers: sender } : {})
    }
    if (number <= peer.noteNumber) return
    peer.noteNumber = number
    switch (note.is) {
      case 'beat':
        peer.hasRedis = note.redis
        if (note.losses > peer.losses) watchers.gap('sender_dropped')
        peer.losses = note.losses
        peer.messages.heard(note.last)
        if (note.answers === nodeId) peers.met(sender)
        if (note.asks) outbox.beat({ answers: sender })
        return peers.look(peer)
      case 'bye':
        peer.messages.heard(note.last)
        peers.leave(peer)
        return peers.look(peer)
      case 'ask':
        return note.to === nodeId ? outbox.repeat(sender, note.from) : undefined
      case 'forgotten':
        if (note.to !== nodeId) return
        if (peer.messages.skipTo(note.first)) watchers.gap('too_old')
        return peers.look(peer)
    }
  }
  return (message: Message, by: CarrierName): void => {
    const peer = peers.get(message.sender)
    if (peer !== undefined) peers.heard(peer, by)
    if (message.kind === 'note') return takeNote(message, peer)
    // Who has not named itself sends before it knows us; what it sends is not for us yet.
    if (peer === undefined) return
    const { kind: delivery, body } = message
    if (!(delivery === 'must' ? takeMust(message, peer) : takeMay(message, peer))) {
      return observe({ kind: 'message.double', by })
    }
    observe({ kind: 'message.received', by, delivery, bytes: body.length })
  }
}
