import { createDecoder, readVarUint } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { messageYjsSyncStep1, readSyncMessage, writeSyncStep1 } from 'y-protocols/sync'
import { Doc } from 'yjs'
import type { OpenDocument, Peer } from '../open-document.ts'
import { toUpdate } from '../sync-messages.ts'

/** Somebody with a document of their own, who comes and goes, and whose messages take a while. */
export type Editor = {
  readonly doc: Doc
  connect(to: OpenDocument): void
  /** What is on its way is lost. */
  disconnect(): void
}

/** `onTold` gets each message that leaves the server, when it does. */
export function createEditor(onTold: (message: Uint8Array) => void = () => {}): Editor {
  const doc = new Doc()
  const server = {}
  let way: { readonly document: OpenDocument; readonly peer: Peer } | undefined

  function send(message: Uint8Array): void {
    const taken = way
    setImmediate(() => {
      if (taken === way) taken?.document.receive(taken.peer, message, () => {})
    })
  }

  function receive(message: Uint8Array): void {
    const decoder = createDecoder(message)
    readVarUint(decoder)
    let kind: number | undefined
    const answer = encode((encoder) => (kind = readSyncMessage(decoder, encoder, doc, server)))
    if (kind === messageYjsSyncStep1) send(answer)
  }

  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== server) send(toUpdate(update))
  })

  return {
    doc,
    connect(document) {
      const peer: Peer = {
        may: () => true,
        send: (message) => {
          onTold(message)
          setImmediate(() => way?.peer === peer && receive(message))
        },
        isBehind: () => false,
        onceDrained: () => {},
      }
      way = { document, peer }
      send(encode((encoder) => writeSyncStep1(encoder, doc)))
    },
    disconnect() {
      way?.document.leave(way.peer)
      way = undefined
    },
  }
}

function encode(write: (encoder: ReturnType<typeof createEncoder>) => void): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, 0)
  write(encoder)
  return toUint8Array(encoder)
}
