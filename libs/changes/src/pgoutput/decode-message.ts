import type { Relation } from '../change.ts'
import { ByteReader } from './byte-reader.ts'
import type { Message, OldTuple, SentColumn } from './message.ts'

/** Letters of the protocol by their codes. */
const code = (letter: string): number => letter.charCodeAt(0)
const letters = {
  begin: code('B'),
  commit: code('C'),
  delete: code('D'),
  insert: code('I'),
  message: code('M'),
  newTuple: code('N'),
  oldTuple: code('O'),
  keyTuple: code('K'),
  origin: code('O'),
  relation: code('R'),
  truncate: code('T'),
  type: code('Y'),
  update: code('U'),
}

/**
 * Decodes the pgoutput message in `bytes` from `start` to `end`. Throws a `RangeError` when that is not exactly one message
 * of protocol version 1: the stream is out of step then and must be given up.
 */
export function decodeMessage(bytes: Buffer, start: number, end: number): Message {
  const reader = new ByteReader(bytes, start, end)
  const message = decodeBody(reader.uint8(), reader)
  reader.mustBeAtEnd()
  return message
}

function decodeBody(letter: number, reader: ByteReader): Message {
  switch (letter) {
    case letters.insert:
      return { kind: 'insert', relationOid: reader.uint32(), row: (reader.mustBe(letters.newTuple), reader.tuple()) }
    case letters.update:
      return decodeUpdate(reader)
    case letters.delete:
      return { kind: 'delete', relationOid: reader.uint32(), old: decodeOld(reader.uint8(), reader) }
    case letters.begin:
      return { kind: 'begin', commitLsn: reader.uint64(), committedAt: reader.int64(), xid: reader.uint32() }
    case letters.commit:
      reader.uint8() // flags, none so far
      return { kind: 'commit', commitLsn: reader.uint64(), endLsn: reader.uint64(), committedAt: reader.int64() }
    case letters.relation:
      return decodeRelation(reader)
    case letters.type:
      return { kind: 'type', oid: reader.uint32(), schema: reader.text() || 'pg_catalog', name: reader.text() }
    case letters.origin:
      return { kind: 'origin', commitLsn: reader.uint64(), name: reader.text() }
    case letters.truncate:
      return decodeTruncate(reader)
    case letters.message:
      return decodeLogicalMessage(reader)
    default:
      throw new RangeError(`pgoutput sent a message of unknown type ${letter}`)
  }
}

function decodeUpdate(reader: ByteReader): Message {
  const relationOid = reader.uint32()
  const first = reader.uint8()
  if (first === letters.newTuple) return { kind: 'update', relationOid, old: undefined, row: reader.tuple() }
  const old = decodeOld(first, reader)
  reader.mustBe(letters.newTuple)
  return { kind: 'update', relationOid, old, row: reader.tuple() }
}

function decodeOld(letter: number, reader: ByteReader): OldTuple {
  if (letter === letters.oldTuple) return { has: 'full', values: reader.tuple() }
  if (letter === letters.keyTuple) return { has: 'key', values: reader.tuple() }
  throw new RangeError(`pgoutput sent a tuple of unknown type ${letter}`)
}

const replicaIdentities: Readonly<Record<number, Relation['replicaIdentity']>> = {
  [code('d')]: 'default',
  [code('n')]: 'nothing',
  [code('f')]: 'full',
  [code('i')]: 'index',
}

function decodeRelation(reader: ByteReader): Message {
  const oid = reader.uint32()
  const schema = reader.text() || 'pg_catalog'
  const table = reader.text()
  const identity = reader.uint8()
  const replicaIdentity = replicaIdentities[identity]
  if (replicaIdentity === undefined) throw new RangeError(`pgoutput sent an unknown replica identity ${identity}`)
  const columns: SentColumn[] = []
  for (let left = reader.uint16(); left > 0; left--) {
    const isKey = (reader.uint8() & 1) === 1
    columns.push({ isKey, name: reader.text(), typeOid: reader.uint32(), typeModifier: reader.int32() })
  }
  return { kind: 'relation', relation: { oid, schema, table, replicaIdentity, columns } }
}

function decodeTruncate(reader: ByteReader): Message {
  const count = reader.uint32()
  const flags = reader.uint8()
  const relationOids: number[] = []
  for (let i = 0; i < count; i++) relationOids.push(reader.uint32())
  return { kind: 'truncate', relationOids, cascade: (flags & 1) !== 0, restartIdentity: (flags & 2) !== 0 }
}

function decodeLogicalMessage(reader: ByteReader): Message {
  const transactional = (reader.uint8() & 1) === 1
  return {
    kind: 'message',
    transactional,
    lsn: reader.uint64(),
    prefix: reader.text(),
    content: reader.bytes(reader.uint32()),
  }
}
