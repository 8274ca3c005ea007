/** A message of a Phoenix channel, as the SDK has it before it is encoded and after it was decoded. */
export type Message = {
  readonly topic: string
  readonly event: string
  readonly payload: unknown
  readonly ref?: string | null
  readonly join_ref?: string | null
}

export type Members = Readonly<Record<string, unknown>>

/** The members of an object; none of anything else. */
export const toMembers = (value: unknown): Members =>
  (typeof value === 'object' && value !== null ? value : {}) as Members

export const toText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** What the server answers to a join, with what Pando adds: where its log ends. */
export type JoinAnswer = { readonly cursor: string | undefined; readonly bindingIds: readonly unknown[] }

export function parseJoinAnswer(response: unknown): JoinAnswer {
  const { cursor, postgres_changes: bindings } = toMembers(response)
  const bindingIds = Array.isArray(bindings) ? bindings.map((binding) => toMembers(binding)['id']) : []
  return { cursor: toText(cursor), bindingIds }
}

const resync = 'resync: '

/** What the server says about a channel: whether it is about rows, and why something was missed. */
export type SystemNotice = { readonly isAboutRows: boolean; readonly missed: string | undefined }

export function parseSystem(payload: unknown): SystemNotice {
  const { extension, message } = toMembers(payload)
  const text = toText(message)
  const missed = text?.startsWith(resync) === true ? text.slice(resync.length) : undefined
  return { isAboutRows: extension === 'postgres_changes', missed }
}

/** A join that says where the channel stopped. Messages from before are not asked for again: the cursor covers them. */
export function withCursor(message: Message, cursor: string): Message {
  const payload = toMembers(message.payload)
  const config = toMembers(payload['config'])
  const { replay: _covered, ...broadcast } = toMembers(config['broadcast'])
  return { ...message, payload: { ...payload, config: { ...config, broadcast, cursor } } }
}
