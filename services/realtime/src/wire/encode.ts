import type { Address, UserMessage, Version } from './messages.ts'

/** A message of the server whose payload is JSON already. */
export function encodeText(
  version: Version,
  { joinRef = null, ref = null, topic, event }: Address,
  json: string,
): string {
  const join = JSON.stringify(joinRef)
  const own = JSON.stringify(ref)
  const name = JSON.stringify(topic)
  const what = JSON.stringify(event)
  return version === 2
    ? `[${join},${own},${name},${what},${json}]`
    : `{"ref":${own},"join_ref":${join},"topic":${name},"event":${what},"payload":${json}}`
}

const userBroadcast = 4
const textBytesMax = 255

/**
 * A client's message as the others get it in a binary frame (only 2.0.0 knows them): kind, lengths of topic, event and
 * metadata, encoding, the three texts, the payload. Undefined when a text is longer than its length can say.
 */
export function encodeUserMessage(
  topic: string,
  { event, encoding, bytes }: UserMessage,
  meta?: object,
): Buffer | undefined {
  const texts = [topic, event, meta === undefined ? '' : JSON.stringify(meta)].map((text) => Buffer.from(text))
  if (texts.some(({ length }) => length > textBytesMax)) return undefined
  const lengths = texts.map(({ length }) => length)
  return Buffer.concat([Buffer.from([userBroadcast, ...lengths, encoding === 'json' ? 1 : 0]), ...texts, bytes])
}

/** A client's message as JSON, for those who speak 1.0.0 and for messages that did not come in a binary frame. */
export function toBroadcastJson(event: string, payloadJson: string, meta?: object): string {
  const tail = meta === undefined ? '' : `,"meta":${JSON.stringify(meta)}`
  return `{"event":${JSON.stringify(event)},"payload":${payloadJson},"type":"broadcast"${tail}}`
}
