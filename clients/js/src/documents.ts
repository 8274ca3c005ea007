import type { RealtimeChannel } from '@supabase/supabase-js'
import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding'
import {
  applyAwarenessUpdate,
  type Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness'
import {
  messageYjsSyncStep1,
  messageYjsSyncStep2,
  readSyncMessage,
  writeSyncStep1,
  writeUpdate,
} from 'y-protocols/sync'
import { type Doc, mergeUpdates } from 'yjs'

export type DocumentStatus =
  /** Offline, or on the way: edits are kept in the document. */
  | { readonly state: 'connecting' }
  /** The document has what the server has; edits go there as they are made, when its policies let this person write. */
  | { readonly state: 'synced'; readonly mayWrite: boolean }
  /** Edits are not taken any more, until the channel is joined again. The reason begins with a code. */
  | { readonly state: 'refused'; readonly reason: string }

export type ShareOptions = {
  /** Not subscribed yet; its topic begins with `document:`. */
  readonly channel: RealtimeChannel
  readonly doc: Doc
  /** Cursors and names of who is there; made with the same document. */
  readonly awareness?: Awareness
  readonly onStatus?: (status: DocumentStatus) => void
}

export type SharedDocument = {
  status(): DocumentStatus
  /** Sends what waits and leaves the channel. The document stays as it is. */
  destroy(): Promise<void>
}

const event = 'yjs'
const sync = 0
const shown = 1
/** Edits and cursors of this time are sent as one, so that a drag stays far below the messages a socket may send. */
const gatherMs = 25
/** After a refusal that passes; as much again is added at random, so that not all come back at once. */
const againMs = 1000
const passing = new Set(['DocumentOutOfStep', 'DocumentUnavailable', 'DocumentsFull'])

/**
 * Keeps a Yjs document the same as on the server and with everybody else in the channel, also after being offline.
 * Subscribes the channel.
 */
export function shareDocument({ channel, doc, awareness, onStatus }: ShareOptions): SharedDocument {
  let status: DocumentStatus = { state: 'connecting' }
  let mayWrite = false
  let waiting: Uint8Array[] = []
  let isShowing = false
  let gathering: ReturnType<typeof setTimeout> | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  let isDestroyed = false
  // What comes from the server is told apart from what is done here.
  const origin = {}

  function setStatus(next: DocumentStatus): void {
    status = next
    onStatus?.(next)
  }

  function send(message: Uint8Array): void {
    // A channel that is not joined would take another way, by HTTP. What is not sent now is part of the next sync.
    if (channel.state !== 'joined' || !channel.socket.isConnected()) return
    void channel.send({ type: 'broadcast', event, payload: message.slice().buffer })
  }

  function askForMissing(): void {
    clearTimeout(again)
    mayWrite = false
    setStatus({ state: 'connecting' })
    send(encode(sync, (encoder) => writeSyncStep1(encoder, doc)))
    if (awareness?.getLocalState()) awareness.setLocalState(awareness.getLocalState())
  }

  function receive(bytes: Uint8Array): void {
    const decoder = createDecoder(bytes)
    const kind = readVarUint(decoder)
    if (kind === shown && awareness !== undefined) applyAwarenessUpdate(awareness, readVarUint8Array(decoder), origin)
    if (kind !== sync) return
    let type: number | undefined
    const answer = encode(sync, (encoder) => (type = readSyncMessage(decoder, encoder, doc, origin)))
    if (type === messageYjsSyncStep1) {
      // Only those are asked who may write; the answer has all that waits.
      mayWrite = true
      waiting = []
      send(answer)
    } else if (type === messageYjsSyncStep2) setStatus({ state: 'synced', mayWrite })
  }

  function refused(reason: string): void {
    const [code] = reason.split(':')
    if (code!.startsWith('DocumentAwareness')) return
    mayWrite = false
    waiting = []
    setStatus({ state: 'refused', reason })
    clearTimeout(again)
    if (passing.has(code!)) again = setTimeout(askForMissing, againMs * (1 + Math.random()))
  }

  function gather(): void {
    gathering ??= setTimeout(sendGathered, gatherMs)
  }

  function sendGathered(): void {
    clearTimeout(gathering)
    gathering = undefined
    const updates = waiting.splice(0)
    if (updates.length > 0) send(encode(sync, (encoder) => writeUpdate(encoder, mergeUpdates(updates))))
    if (!isShowing || awareness === undefined) return
    isShowing = false
    const own = encodeAwarenessUpdate(awareness, [doc.clientID])
    send(encode(shown, (encoder) => writeVarUint8Array(encoder, own)))
  }

  const onUpdate = (update: Uint8Array, from: unknown): void => {
    // Until the server has asked what it lacks, an edit is part of the answer to that.
    if (from === origin || !mayWrite) return
    waiting.push(update)
    gather()
  }

  const onShown = (
    { added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>,
    from: unknown,
  ): void => {
    if (from === origin || ![...added, ...updated, ...removed].includes(doc.clientID)) return
    isShowing = true
    gather()
  }

  function disconnected(): void {
    clearTimeout(again)
    mayWrite = false
    waiting = []
    if (awareness !== undefined) {
      const others = [...awareness.getStates().keys()].filter((client) => client !== doc.clientID)
      removeAwarenessStates(awareness, others, origin)
    }
    if (!isDestroyed && status.state !== 'connecting') setStatus({ state: 'connecting' })
  }

  doc.on('update', onUpdate)
  awareness?.on('update', onShown)
  channel.on('broadcast', { event }, ({ payload }: { payload: unknown }) => {
    if (payload instanceof ArrayBuffer) receive(new Uint8Array(payload))
  })
  channel.on('system', {}, ({ extension, message }: { extension: string; message: string }) => {
    if (extension === 'document') refused(message)
  })
  channel.subscribe((joined) => {
    if (isDestroyed) return
    if (joined === 'SUBSCRIBED') askForMissing()
    else disconnected()
  })

  return {
    status: () => status,
    async destroy() {
      sendGathered()
      isDestroyed = true
      doc.off('update', onUpdate)
      awareness?.off('update', onShown)
      await channel.unsubscribe()
      disconnected()
    },
  }
}

/** A message as providers of Yjs have agreed: a number that says what it is about, then what it says. */
function encode(kind: number, write: (encoder: ReturnType<typeof createEncoder>) => void): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, kind)
  write(encoder)
  return toUint8Array(encoder)
}
