import { createPosition } from './position.ts'
import { type Message, parseJoinAnswer, parseSystem, toMembers, toText, withCursor } from './wire.ts'

/** Fetches what a channel shows. What changes meanwhile waits, and is told after it. */
export type Resync = (reason: string) => unknown

/** How many messages wait for a fetch; with more it is made again. */
export const heldMax = 1000

/** One channel of the SDK, over all its connections. */
export type FollowedChannel = {
  /** On its way out: a join, a leave. */
  send(message: Message): Message
  /** On its way in; `pass` gives it to the SDK, now, later, or never when it came before. */
  receive(message: Message, pass: (message: Message) => void): void
  /** The server has nothing on its way from before this place. */
  advance(cursor: string): void
  /** The connection is another one. */
  forgetConnection(): void
  onResync(resync: Resync): void
}

export function createFollowedChannel(): FollowedChannel {
  const position = createPosition()
  const fetching = createFetching()
  let joinRef: string | null | undefined
  let askedFrom = ''
  let isJoined = false
  let isLeaving = false
  /** Whether the server has not said yet that it follows the rows, and whether it knows from where. */
  let rows = { areAwaited: false, areCovered: true }
  /** What the last join calls the bindings, in their order. */
  let bindingIds: readonly unknown[] = []

  function join(response: unknown): void {
    const { cursor, ...answer } = parseJoinAnswer(response)
    bindingIds = answer.bindingIds
    isJoined = true
    rows = { areAwaited: bindingIds.length > 0, areCovered: askedFrom !== '' || cursor !== undefined }
    if (askedFrom === '') {
      position.moveTo(cursor ?? '')
      fetching.need('joined')
    }
    fetching.start()
  }

  function hear(payload: unknown): void {
    const { isAboutRows, missed } = parseSystem(payload)
    if (missed !== undefined) {
      position.moveTo('')
      fetching.need(missed)
    }
    if (isAboutRows) {
      // What changed between the join and now is in no answer yet.
      if (rows.areAwaited && !rows.areCovered) fetching.need('joined')
      rows = { areAwaited: false, areCovered: true }
    }
    if (!rows.areAwaited) fetching.start()
  }

  function receiveChange(message: Message, pass: (message: Message) => void): void {
    const { cursor, ids } = toMembers(message.payload)
    const places = Array.isArray(ids) ? ids.map((id) => bindingIds.indexOf(id)).filter((place) => place >= 0) : []
    if (typeof cursor !== 'string' || places.length === 0) return pass(message)
    const unseen = position.takeChange(cursor, places)
    if (unseen.length === 0) return
    // It may wait until after another join, which gives other ids.
    const payloadNow = (): object => ({ ...toMembers(message.payload), ids: unseen.map((place) => bindingIds[place]) })
    fetching.afterwards(() => pass({ ...message, payload: payloadNow() }))
  }

  function receiveMessage(message: Message, pass: (message: Message) => void): void {
    const cursor = toText(toMembers(toMembers(message.payload)['meta'])['cursor'])
    if (cursor === undefined) pass(message)
    else if (position.takeMessage(cursor)) fetching.afterwards(() => pass(message))
  }

  return {
    send: (message) => {
      isJoined = false
      isLeaving = message.event === 'phx_leave'
      if (isLeaving) return message
      joinRef = message.ref
      askedFrom = position.from()
      return askedFrom === '' ? message : withCursor(message, askedFrom)
    },
    receive: (message, pass) => {
      const { event, payload, ref, join_ref: ofJoin } = message
      if (event === 'broadcast') return receiveMessage(message, pass)
      if (event === 'postgres_changes') return receiveChange(message, pass)
      if (event === 'phx_close' && ofJoin === joinRef && !isLeaving) {
        isJoined = false
        // A token that is over, or one message too many: the SDK gives up a closed channel, and joins a failed one again.
        return pass({ ...message, event: 'phx_error', payload: new Error('The server closed the channel') })
      }
      pass(message)
      if (event === 'system') hear(payload)
      else if (event === 'phx_error') isJoined = false
      else if (event === 'phx_reply' && ref === joinRef && toMembers(payload)['status'] === 'ok')
        join(toMembers(payload)['response'])
    },
    advance: (cursor) => {
      if (!isJoined) return
      position.advance(cursor)
      fetching.start()
    },
    forgetConnection: () => {
      isJoined = false
    },
    onResync: fetching.use,
  }
}

/** When to fetch, and what waits for it. */
function createFetching() {
  let resync: Resync | undefined
  let reason: string | undefined
  let held: (() => void)[] | undefined

  function start(): void {
    if (reason !== undefined && resync !== undefined && held === undefined) void fetch(resync, reason)
  }

  async function fetch(resync: Resync, why: string): Promise<void> {
    reason = undefined
    held = []
    try {
      await resync(why)
      release()
      start()
    } catch {
      // It is tried again with the next heartbeat, or join.
      reason ??= why
      release()
    }
  }

  function release(): void {
    const waiting = held ?? []
    held = undefined
    // Each in a turn of its own: what one listener throws is not the others' loss.
    for (const deliver of waiting) queueMicrotask(deliver)
  }

  return {
    use: (callback: Resync): void => {
      resync = callback
      start()
    },
    need: (why: string): void => {
      reason = why
    },
    start,
    afterwards: (deliver: () => void): void => {
      if (held === undefined) deliver()
      else if (held.length < heldMax) held.push(deliver)
      else reason = 'too_many_held'
    },
  }
}
