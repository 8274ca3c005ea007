import * as fc from 'fast-check'
import type { Values } from '../change.ts'
import type { Message } from '../pgoutput/message.ts'

const oid = fc.nat({ max: 0xffff_ffff })
const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const micros = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
/** Names and prefixes are ended by a zero byte. */
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0'))
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  // Lengths beyond a byte, and those whose bytes look like text.
  fc.nat({ max: 400 }).map((length) => 'x'.repeat(length)),
)
const values = (...missing: readonly (null | undefined)[]): fc.Arbitrary<Values> =>
  fc.array(fc.oneof({ weight: 3, arbitrary: value }, fc.constantFrom(...missing)), { maxLength: 8 })
const row = values(null, undefined)
const old = fc.record({ has: fc.constantFrom('key' as const, 'full' as const), values: values(null) })
const column = fc.record({ name, typeOid: oid, typeModifier: fc.integer(), isKey: fc.boolean() })
const replicaIdentity = fc.constantFrom('default' as const, 'nothing' as const, 'full' as const, 'index' as const)
const relation = fc.record({
  oid,
  schema: fc.oneof(name, fc.constant('pg_catalog')),
  table: name,
  replicaIdentity,
  columns: fc.array(column, { maxLength: 6 }),
})
const kind = <const Kind extends Message['kind']>(of: Kind): fc.Arbitrary<Kind> => fc.constant(of)

/** Every message that pgoutput can send in version 1 of its protocol. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: kind('begin'), commitLsn: lsn, committedAt: micros, xid: oid }),
  fc.record({ kind: kind('commit'), commitLsn: lsn, endLsn: lsn, committedAt: micros }),
  fc.record({ kind: kind('origin'), commitLsn: lsn, name }),
  fc.record({ kind: kind('relation'), relation }),
  fc.record({ kind: kind('type'), oid, schema: name, name }),
  fc.record({ kind: kind('insert'), relationOid: oid, row }),
  fc.record({ kind: kind('update'), relationOid: oid, old: fc.option(old, { nil: undefined }), row }),
  fc.record({ kind: kind('delete'), relationOid: oid, old }),
  fc.record({
    kind: kind('truncate'),
    relationOids: fc.array(oid, { maxLength: 5 }),
    cascade: fc.boolean(),
    restartIdentity: fc.boolean(),
  }),
  fc.record({
    kind: kind('message'),
    transactional: fc.boolean(),
    lsn,
    prefix: name,
    content: fc.uint8Array({ maxLength: 40 }).map((content) => Buffer.from(content)),
  }),
)
