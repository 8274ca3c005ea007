import type { Metrics } from '@pando/telemetry/metrics'
import { wireTopic } from '../broadcast/publish.ts'
import { lineKinds, type Lines } from '../channels/lines.ts'
import type { Member } from '../channels/member.ts'
import { refuse, reply, tellSystem } from '../channels/replies.ts'
import type { Topic, TopicName } from '../channels/topics.ts'
import type { Listen, RealtimeDeps } from '../deps.ts'
import { isBehind, sendFrame, whenDrained } from '../sockets/client.ts'
import { encodeUserMessage } from '../wire/encode.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { toFrame } from '../wire/websocket-frame.ts'
import { createBudget } from './budget.ts'
import { createDocumentStore, documentsNotice, nameOf, parseNotice } from './document-store.ts'
import type { KeptDocument } from './kept-document.ts'
import type { OpenDocument, Peer } from './open-document.ts'
import { documentRefusals as refusals } from './refusals.ts'

/** The event of a channel's messages that are about its document. */
const documentEvent = 'yjs'

export type DocumentsDeps = Pick<RealtimeDeps, 'database' | 'listen' | 'options' | 'logger' | 'metrics' | 'bus'> & {
  readonly lines: Lines | undefined
}

/** Documents that people edit together, each on the channel of its name. */
export type Documents = {
  /** Whether an event of a topic is for `handle`. */
  isAbout(topic: string, event: string): boolean
  /** Does what a member says about the document of its channel. Never throws. */
  handle(member: Member, message: ClientMessage): void
  leave(member: Member): void
  stop(): Promise<void>
}

/** Megabytes, and a node without documents needs none of it. */
const loadLibrary = async () => {
  const [{ createKeptDocument }, { createOpenDocument }] = await Promise.all([
    import('./kept-document.ts'),
    import('./open-document.ts'),
  ])
  return { createKeptDocument, createOpenDocument }
}
type Library = Awaited<ReturnType<typeof loadLibrary>>

type Opened = {
  readonly topic: Topic
  readonly document: OpenDocument
  readonly kept: KeptDocument
  readonly frameOf: FrameOf
}
type Seat = { readonly opened: Opened; readonly peer: Peer }

export function createDocuments(deps: DocumentsDeps): Documents {
  const { options, logger } = deps
  const store = createDocumentStore(deps.database)
  const budget = createBudget(options.documentsBytesMax)
  const byName = new Map<string, Opened>()
  const seats = new WeakMap<Member, Seat>()
  const count = countDocuments(deps.metrics, { open: () => byName.size, bytes: budget.bytes })
  const notices = listenOnce(deps.listen, byName)
  const awareness = shareAwareness(deps, byName)
  let library: Library | undefined
  let loading: Promise<Library> | undefined

  function handle(member: Member, message: ClientMessage): void {
    if (!member.topic.isPrivate && !options.documentsPublic) return answer(member, message, refusals.needsPrivate())
    const { user } = message
    if (user?.encoding !== 'binary') return answer(member, message, refusals.malformed())
    const receive = (loaded: Library): void => {
      if (!member.topic.members.has(member)) return
      const { opened, peer } = findSeat(loaded, member)
      opened.document.receive(peer, user.bytes, (refusal) => answer(member, message, refusal))
    }
    if (library !== undefined) return receive(library)
    loading ??= loadLibrary().then((loaded) => (library = loaded))
    loading.then(receive).catch((error: unknown) => {
      logger.error({ err: error }, 'the library of documents cannot be loaded')
      answer(member, message, refusals.unavailable())
    })
  }

  function answer(member: Member, message: ClientMessage, refusal: string | undefined): void {
    count(refusal === undefined ? 'done' : 'refused')
    if (!member.topic.members.has(member)) return
    if (refusal === undefined) {
      if (member.ack) reply(member.client, message, 'ok')
      return
    }
    refuse(member.client, message, refusal)
    tellSystem(member, { extension: 'document', status: 'error', message: refusal })
  }

  function findSeat(loaded: Library, member: Member): Seat {
    let seat = seats.get(member)
    if (seat === undefined) {
      const opened = findOpened(loaded, member.topic)
      seat = { opened, peer: toPeer(member, opened.frameOf) }
      seats.set(member, seat)
    }
    return seat
  }

  function findOpened({ createKeptDocument, createOpenDocument }: Library, channel: Topic): Opened {
    const { name: topic, isPrivate } = channel
    const key = { topic, isPrivate }
    const name = nameOf(key)
    const before = byName.get(name)
    if (before !== undefined) return before
    notices.start()
    const kept = createKeptDocument({ key, store, budget, options })
    const document = createOpenDocument({
      topic,
      kept,
      options,
      onFailed: (error) => logger.warn({ err: error, topic }, 'a document could not be read or written'),
      tellOthers: (update) => awareness.say(channel, update),
      onEmpty: () => {
        document.close()
        byName.delete(name)
      },
    })
    const opened = { topic: channel, document, kept, frameOf: createFrames(topic) }
    byName.set(name, opened)
    awareness.ask(channel)
    return opened
  }

  const { documentPrefix } = options
  return {
    isAbout: (topic, event) => event === documentEvent && documentPrefix !== '' && topic.startsWith(documentPrefix),
    handle,
    leave(member) {
      const seat = seats.get(member)
      seats.delete(member)
      seat?.opened.document.leave(seat.peer)
    },
    async stop() {
      for (const { document } of byName.values()) document.close()
      byName.clear()
      awareness.stop()
      await notices.stop()
    },
  }
}

/** Hears of updates that other nodes wrote, from the first document on. */
function listenOnce(listen: Listen | undefined, byName: ReadonlyMap<string, Opened>) {
  let listener: ReturnType<Listen> | undefined
  const lookAgain = (): void => byName.forEach(({ document }) => document.lookAgain())
  return {
    start: (): void => {
      if (listen === undefined || listener !== undefined) return
      listener = listen({
        channels: [documentsNotice],
        onNotice: (_channel, payload) => {
          const notice = parseNotice(payload)
          const opened = notice && byName.get(notice.name)
          if (opened?.kept.lacks(notice!.seq) === true) opened.document.lookAgain()
        },
        onReconnected: lookAgain,
      })
      // What was written since the first document was opened has not been heard of.
      void listener.ready.then(lookAgain)
    },
    stop: async (): Promise<void> => listener?.stop(),
  }
}

/**
 * What members show of themselves crosses nodes: each says what its own members show, when it changes, when another one
 * opens the document, and when a node comes that may have missed it. Nobody waits for it: clients show themselves anew
 * every 15 seconds (y-protocols).
 */
function shareAwareness({ bus, lines }: DocumentsDeps, byName: ReadonlyMap<string, Opened>) {
  const say = (topic: TopicName, body: Uint8Array): void =>
    lines?.say(topic, { kind: lineKinds.awareness, body, delivery: 'may' })
  const ask = (topic: TopicName): void =>
    lines?.say(topic, { kind: lineKinds.awarenessQuestion, body: nothing, delivery: 'may' })
  const sayOwn = ({ topic, document }: Opened): void => {
    const shown = document.shownHere()
    if (shown !== undefined) say(topic, shown)
  }
  const find = (topic: Topic): Opened | undefined =>
    byName.get(nameOf({ topic: topic.name, isPrivate: topic.isPrivate }))
  const askAll = (): void => byName.forEach(({ topic }) => ask(topic))
  lines?.hear(lineKinds.awareness, (topic, update, from) => find(topic)?.document.showOthers(from, update))
  lines?.hear(lineKinds.awarenessQuestion, (topic) => {
    const opened = find(topic)
    if (opened !== undefined) sayOwn(opened)
  })
  const stop = bus?.watch({
    onNode: (node, is) => {
      if (is === 'gone') return byName.forEach(({ document }) => document.forgetNode(node))
      byName.forEach(sayOwn)
      askAll()
    },
    onGap: askAll,
  })
  return { say, ask, stop: (): void => stop?.() }
}

const nothing = new Uint8Array()

function toPeer(member: Member, frameOf: FrameOf): Peer {
  const { client } = member
  const rights = {
    read: () => member.permissions?.broadcast.read,
    write: () => member.permissions?.broadcast.write,
    see: () => member.permissions?.presence.read,
    show: () => member.permissions?.presence.write,
  }
  return {
    // Whoever may join a public channel may do all.
    may: (what) => rights[what]() ?? true,
    send: (message) => sendFrame(client, frameOf(message)),
    isBehind: () => isBehind(client),
    onceDrained: (callback) => whenDrained(client, callback),
  }
}

type FrameOf = (message: Uint8Array) => Buffer

/** What many get one after the other is framed once. */
function createFrames(topic: string): FrameOf {
  const frames = new WeakMap<Uint8Array, Buffer>()
  return (message) => {
    let frame = frames.get(message)
    if (frame === undefined) {
      const user = { event: documentEvent, encoding: 'binary', bytes: Buffer.from(message) } as const
      // A topic that came in a binary frame fits into one.
      frames.set(message, (frame = toFrame(encodeUserMessage(wireTopic(topic), user)!)))
    }
    return frame
  }
}

function countDocuments(metrics: Metrics, { open, bytes }: { open: () => number; bytes: () => number }) {
  metrics.gauge({ name: 'realtime_documents_open', help: 'Documents somebody works on.', read: open })
  metrics.gauge({ name: 'realtime_documents_bytes', help: 'Of open documents, as Postgres keeps them.', read: bytes })
  const messages = metrics.counter({
    name: 'realtime_document_messages_total',
    help: 'What members said about documents.',
    labels: ['outcome'],
  })
  const series = { done: messages.series({ outcome: 'done' }), refused: messages.series({ outcome: 'refused' }) }
  return (outcome: keyof typeof series): void => series[outcome].add()
}
