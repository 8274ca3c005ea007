import type { Values } from '../change.ts'
import type { Message, SentRelation } from '../pgoutput/message.ts'

/**
 * The bytes of a pgoutput message, written from the documented formats and not from the decoder, so that each checks the
 * other ("Logical Replication Message Formats").
 */
export function encodeMessage(message: Message): Buffer {
  switch (message.kind) {
    case 'begin':
      return bytes('B', int64(message.commitLsn), int64(message.committedAt), int32(message.xid))
    case 'commit':
      return bytes('C', int8(0), int64(message.commitLsn), int64(message.endLsn), int64(message.committedAt))
    case 'origin':
      return bytes('O', int64(message.commitLsn), text(message.name))
    case 'relation':
      return encodeRelation(message.relation)
    case 'type':
      return bytes('Y', int32(message.oid), schema(message.schema), text(message.name))
    case 'insert':
      return bytes('I', int32(message.relationOid), 'N', tuple(message.row))
    case 'update':
      return bytes('U', int32(message.relationOid), old(message.old), 'N', tuple(message.row))
    case 'delete':
      return bytes('D', int32(message.relationOid), old(message.old))
    case 'truncate': {
      const flags = (message.cascade ? 1 : 0) | (message.restartIdentity ? 2 : 0)
      return bytes('T', int32(message.relationOids.length), int8(flags), ...message.relationOids.map(int32))
    }
    case 'message': {
      const { transactional, lsn, prefix, content } = message
      return bytes('M', int8(transactional ? 1 : 0), int64(lsn), text(prefix), int32(content.length), content)
    }
  }
}

const identities = { default: 'd', nothing: 'n', full: 'f', index: 'i' } as const

function encodeRelation(relation: SentRelation): Buffer {
  const columns = relation.columns.map(({ isKey, name, typeOid, typeModifier }) =>
    bytes(int8(isKey ? 1 : 0), text(name), int32(typeOid), int32(typeModifier)),
  )
  const identity = identities[relation.replicaIdentity]
  const head = bytes('R', int32(relation.oid), schema(relation.schema), text(relation.table), identity)
  return bytes(head, int16(columns.length), ...columns)
}

/** One frame of the connection: type letter, length, body. */
export function encodeFrame(type: string, body: Buffer): Buffer {
  return bytes(type, int32(4 + body.length), body)
}

const old = (tupleOf: { has: 'key' | 'full'; values: Values } | undefined): Buffer =>
  tupleOf === undefined ? bytes() : bytes(tupleOf.has === 'key' ? 'K' : 'O', tuple(tupleOf.values))

const tuple = (values: Values): Buffer => bytes(int16(values.length), ...values.map(value))

function value(content: string | null | undefined): Buffer {
  if (content === null) return bytes('n')
  if (content === undefined) return bytes('u')
  return bytes('t', int32(Buffer.byteLength(content)), content)
}

const bytes = (...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

const text = (content: string): Buffer => bytes(content, int8(0))
const schema = (name: string): Buffer => text(name === 'pg_catalog' ? '' : name)
const int8 = (number: number): Buffer => Buffer.from([number])
const int16 = (number: number): Buffer => number16(number)
const int32 = (number: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(number >>> 0)
  return buffer
}
const int64 = (number: bigint): Buffer => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt.asUintN(64, number))
  return buffer
}
function number16(number: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(number)
  return buffer
}
