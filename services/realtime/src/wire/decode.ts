import { isUtf8 } from 'node:buffer'
import { isTooDeep } from './depth.ts'
import type { ClientMessage, UserMessage, Version } from './messages.ts'

/** What a frame of the client says; undefined when it says nothing that this version of the wire knows. */
export function decodeMessage(version: Version, data: Buffer, isBinary: boolean): ClientMessage | undefined {
  if (isBinary) return version === 2 ? decodeBinary(data) : undefined
  if (isTooDeep(data)) return undefined
  let value: unknown
  try {
    value = JSON.parse(data.toString())
  } catch {
    return undefined
  }
  return version === 2 ? fromArray(value) : fromObject(value)
}

function fromArray(value: unknown): ClientMessage | undefined {
  if (!Array.isArray(value) || value.length < 5) return undefined
  const [joinRef, ref, topic, event, payload] = value as unknown[]
  return toMessage({ join_ref: joinRef, ref, topic, event, payload })
}

function fromObject(value: unknown): ClientMessage | undefined {
  return typeof value === 'object' && value !== null ? toMessage(value) : undefined
}

type Members = { join_ref?: unknown; ref?: unknown; topic?: unknown; event?: unknown; payload?: unknown }

function toMessage({ join_ref, ref, topic, event, payload }: Members): ClientMessage | undefined {
  if (typeof topic !== 'string' || typeof event !== 'string') return undefined
  const [joinRef, ownRef] = [toRef(join_ref), toRef(ref)]
  if (joinRef === undefined || ownRef === undefined) return undefined
  return { joinRef, ref: ownRef, topic, event, payload: payload ?? {} }
}

/** Some clients count in numbers. */
function toRef(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

const push = 0
const userPush = 3

/** One byte says what follows, one each how long the texts are, then the texts, then the payload. */
function decodeBinary(data: Buffer): ClientMessage | undefined {
  if (data[0] === push) {
    const read = readTexts(data, { lengthsAt: 1, count: 4, textsAt: 5 })
    if (read === undefined) return undefined
    const [joinRef, ref, topic, event] = read.texts as [string, string, string, string]
    return { joinRef, ref, topic, event, payload: read.rest }
  }
  if (data[0] !== userPush) return undefined
  const read = readTexts(data, { lengthsAt: 1, count: 5, textsAt: 7 })
  if (read === undefined) return undefined
  const [joinRef, ref, topic, event] = read.texts as [string, string, string, string]
  const user: UserMessage = { event, encoding: data[6] === 0 ? 'binary' : 'json', bytes: read.rest }
  if (user.encoding === 'json' && !isJson(user.bytes)) return undefined
  return { joinRef, ref, topic, event: 'broadcast', payload: {}, user }
}

/** Others are sent it as it is, and parse it. */
export function isJson(bytes: Buffer): boolean {
  if (!isUtf8(bytes) || isTooDeep(bytes)) return false
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

type Layout = { readonly lengthsAt: number; readonly count: number; readonly textsAt: number }

function readTexts(data: Buffer, { lengthsAt, count, textsAt }: Layout): { texts: string[]; rest: Buffer } | undefined {
  if (data.length < textsAt) return undefined
  const texts: string[] = []
  let at = textsAt
  for (let index = 0; index < count; index += 1) {
    const length = data[lengthsAt + index]!
    if (at + length > data.length) return undefined
    texts.push(data.toString('utf8', at, at + length))
    at += length
  }
  return { texts, rest: data.subarray(at) }
}
