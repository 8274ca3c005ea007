import type { Change, Relation } from '@pando/changes/change'
import type { Broadcast } from '../broadcast/publish.ts'

/** A message that the database sends, and to which channel. */
export type StoredMessage = { readonly topic: string; readonly isPrivate: boolean; readonly sent: Broadcast }

export const isMessages = ({ schema, table }: Relation): boolean => schema === 'realtime' && table === 'messages'

/** A new row of `realtime.messages`, as its channel gets it; undefined for whatever is no message to a channel. */
export function readMessage({ kind, relation, row, cursor }: Change): StoredMessage | undefined {
  if (kind !== 'insert' || row === undefined) return undefined
  const values = new Map(relation.columns.map(({ name }, index) => [name, row[index]]))
  const topic = values.get('topic')
  const event = values.get('event')
  const id = values.get('id')
  if (values.get('extension') !== 'broadcast' || !topic || typeof event !== 'string' || !id) return undefined
  const sent = toStoredBroadcast(
    { id, event, payload: values.get('payload'), binary: values.get('binary_payload') },
    cursor,
  )
  return sent && { topic, isPrivate: values.get('private') === 't', sent }
}

export type StoredPayload = {
  readonly id: string
  readonly event: string
  /** JSON. */
  readonly payload: string | null | undefined
  /** As PostgreSQL prints bytea: `\x` and hex. */
  readonly binary: string | null | undefined
}

/** Undefined without a payload. A cursor says where the message stands in the log. */
export function toStoredBroadcast({ id, event, payload, binary }: StoredPayload, cursor?: string, meta: object = {}) {
  const whole = { ...meta, id, ...(cursor === undefined ? {} : { cursor }) }
  if (typeof binary === 'string')
    return { id, meta: whole, user: { event, encoding: 'binary', bytes: Buffer.from(binary.slice(2), 'hex') } } as const
  if (typeof payload !== 'string') return undefined
  return { id, meta: whole, user: { event, encoding: 'json', bytes: Buffer.from(payload) } } as const
}
