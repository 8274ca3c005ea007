import { mayHear, type Member } from '../channels/member.ts'
import { missUntilDrained } from '../channels/missing.ts'
import type { Topic } from '../channels/topics.ts'
import { isBehind, sendFrame } from '../sockets/client.ts'
import { encodeText, encodeUserMessage, toBroadcastJson } from '../wire/encode.ts'
import type { UserMessage, Version } from '../wire/messages.ts'
import { toFrame } from '../wire/websocket-frame.ts'

/** Something sent to a channel: bytes of a client, or a payload that is JSON already. */
export type Broadcast = {
  /** Of a message that is kept; only the log has those. */
  readonly id?: string
  readonly meta?: object
} & ({ readonly user: UserMessage } | { readonly json: string })

export type Publishing = {
  /** So many got it, and so many were too far behind to. */
  readonly onDelivered: (delivered: number, dropped: number) => void
  /** Whether an event of a topic is about its document, which members only hear of from there. */
  readonly isForDocument: (topic: string, event: string) => boolean
}

export const wireTopic = (name: string): string => `realtime:${name}`

/** Sends to all who may hear, each in its version of the wire; the bytes are made once. */
export function publish(publishing: Publishing, topic: Topic, sent: Broadcast, from?: Member): void {
  if ('user' in sent && publishing.isForDocument(topic.name, sent.user.event)) return
  const frames = lazyFrames(wireTopic(topic.name), sent)
  let delivered = 0
  let dropped = 0
  for (const member of topic.members) {
    if ((member === from && !member.self) || !hears(member, sent)) continue
    const frame = frames(member.client.version)
    if (frame === undefined) continue
    if (give(member, sent, frame)) delivered += 1
    else dropped += 1
  }
  publishing.onDelivered(delivered, dropped)
}

/** What the log has is for those who have heard all that came before it. */
const hears = (member: Member, { id }: Broadcast): boolean =>
  mayHear(member) && (id === undefined || (member.changes?.hearsMessages === true && !member.changes.known.has(id)))

/** False when the member is behind: it misses this, and is told so if it was kept. */
function give(member: Member, { id }: Broadcast, frame: Buffer): boolean {
  const isMissed = isBehind(member.client)
  if (!isMissed) sendFrame(member.client, frame)
  else if (id !== undefined) missUntilDrained(member, 'system')
  return !isMissed
}

/** Undefined for whoever cannot be told: 1.0.0 has no bytes, and names that are too long have no place beside them. */
function toBroadcastFrame(version: Version, topic: string, sent: Broadcast): Buffer | undefined {
  const address = { topic, event: 'broadcast' }
  if ('json' in sent) return toFrame(encodeText(version, address, sent.json))
  const { user, meta } = sent
  const binary = version === 2 ? encodeUserMessage(topic, user, meta) : undefined
  if (binary !== undefined) return toFrame(binary)
  if (user.encoding === 'binary') return undefined
  return toFrame(encodeText(version, address, toBroadcastJson(user.event, user.bytes.toString(), meta)))
}

function lazyFrames(topic: string, sent: Broadcast): (version: Version) => Buffer | undefined {
  const made: { 1?: Buffer | undefined; 2?: Buffer | undefined } = {}
  return (version) => {
    if (!(version in made)) made[version] = toBroadcastFrame(version, topic, sent)
    return made[version]
  }
}

/** Gives a member what was sent before it came. */
export function catchUp({ onDelivered }: Publishing, member: Member, earlier: readonly Broadcast[]): void {
  let delivered = 0
  for (const sent of earlier) {
    const frame = toBroadcastFrame(member.client.version, member.address, sent)
    if (frame !== undefined && give(member, sent, frame)) delivered += 1
  }
  onDelivered(delivered, earlier.length - delivered)
}
