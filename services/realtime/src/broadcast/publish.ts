import { mayHear, type Member } from '../channels/member.ts'
import type { Topic } from '../channels/topics.ts'
import { isBehind, sendFrame } from '../sockets/client.ts'
import { encodeText, encodeUserMessage, toBroadcastJson } from '../wire/encode.ts'
import type { UserMessage, Version } from '../wire/messages.ts'
import { toFrame } from '../wire/websocket-frame.ts'

/** Something sent to a channel: bytes of a client, or a payload that is JSON already. */
export type Broadcast = {
  /** Of a message that is kept. */
  readonly id?: string
  readonly meta?: object
} & ({ readonly user: UserMessage } | { readonly json: string })

export type Publishing = {
  readonly queueBytesMax: number
  /** So many got it, and so many were too far behind to. */
  readonly onDelivered: (delivered: number, dropped: number) => void
}

export const wireTopic = (name: string): string => `realtime:${name}`

/** Sends to all who may hear, each in its version of the wire; the bytes are made once. */
export function publish(
  { queueBytesMax, onDelivered }: Publishing,
  topic: Topic,
  sent: Broadcast,
  from?: Member,
): void {
  const frames = lazyFrames(wireTopic(topic.name), sent)
  let delivered = 0
  let dropped = 0
  for (const member of topic.members) {
    if ((member === from && !member.self) || !mayHear(member)) continue
    if (member.held !== undefined) {
      member.held.push(sent)
      continue
    }
    const frame = frames(member.client.version)
    if (frame === undefined) continue
    if (isBehind(member.client, queueBytesMax)) {
      dropped += 1
      continue
    }
    sendFrame(member.client, frame)
    delivered += 1
  }
  onDelivered(delivered, dropped)
}

/** Undefined for whoever cannot be told: 1.0.0 has no bytes, and whatever is no JSON has no text. */
export function toBroadcastFrame(version: Version, topic: string, sent: Broadcast): Buffer | undefined {
  if ('json' in sent) return toFrame(encodeText(version, { topic, event: 'broadcast' }, sent.json))
  const { user, meta } = sent
  if (version === 2) {
    const message = encodeUserMessage(topic, user, meta)
    return message && toFrame(message)
  }
  const json = user.encoding === 'json' ? toValidJson(user.bytes) : undefined
  if (json === undefined) return undefined
  return toFrame(encodeText(1, { topic, event: 'broadcast' }, toBroadcastJson(user.event, json, meta)))
}

function lazyFrames(topic: string, sent: Broadcast): (version: Version) => Buffer | undefined {
  const made: { 1?: Buffer | undefined; 2?: Buffer | undefined } = {}
  return (version) => {
    if (!(version in made)) made[version] = toBroadcastFrame(version, topic, sent)
    return made[version]
  }
}

/** The client said it is JSON; what is put into others' messages has to be. */
function toValidJson(bytes: Buffer): string | undefined {
  const text = bytes.toString()
  try {
    JSON.parse(text)
    return text
  } catch {
    return undefined
  }
}

/** Gives a member what was sent before it came, and then what came meanwhile, each once. */
export function catchUp({ onDelivered }: Publishing, member: Member, earlier: readonly Broadcast[]): void {
  const known = new Set(earlier.map(({ id }) => id))
  const later = (member.held ?? []).filter(({ id }) => id === undefined || !known.has(id))
  member.held = undefined
  for (const sent of [...earlier, ...later]) {
    const frame = toBroadcastFrame(member.client.version, member.address, sent)
    if (frame !== undefined) sendFrame(member.client, frame)
  }
  onDelivered(earlier.length + later.length, 0)
}
