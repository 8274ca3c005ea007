import type { Clock } from '@pando/core/clock'
import { refuse, reply } from '../channels/replies.ts'
import { maySeePresence, type Member } from '../channels/member.ts'
import type { Topic } from '../channels/topics.ts'
import type { RealtimeOptions } from '../config.ts'
import { isBehind, sendFrame, sendText, whenDrained } from '../sockets/client.ts'
import { encodeText } from '../wire/encode.ts'
import type { ClientMessage, Version } from '../wire/messages.ts'
import { toFrame } from '../wire/websocket-frame.ts'
import { newPresences, takeDiffJson, toStateJson, track, untrack } from './presences.ts'
import type { ToldChange } from './told-presences.ts'

export type PresenceDeps = {
  readonly options: RealtimeOptions
  readonly clock: Clock
  /** Ends a channel and says why. */
  readonly shutDown: (member: Member, message: string) => void
  /** Of this node, where there are others: goes into the names of states, which are unique in the deployment. */
  readonly nodeId: string | undefined
  /** Tells other nodes what has changed here. */
  readonly onChanged: (topic: Topic, change: ToldChange) => void
}

export type Presence = {
  /** `track` and `untrack` of a member. */
  handle(member: Member, message: ClientMessage): void
  /** Tells a new member who is there. */
  greet(member: Member): void
  /** Of a member that leaves. */
  forget(member: Member): void
  /** Tells members, soon, what has changed in `presences` of their topic. */
  tell(topic: Topic): void
}

/** Who is in a channel and what they say about themselves; members hear of changes once a turn of the event loop. */
export function createPresence({ options, clock, shutDown, nodeId, onChanged }: PresenceDeps): Presence {
  const suffix = nodeId === undefined ? '' : `.${nodeId}`
  let states = 0

  function handle(member: Member, message: ClientMessage): void {
    if (!mayCall(member)) return shutDown(member, 'Client presence rate limit exceeded')
    const { event, payload } = message.payload as { event?: unknown; payload?: unknown }
    const what = typeof event === 'string' ? event.toLowerCase() : undefined
    if (what === 'track') trackMember(member, message, payload ?? {})
    else if (what === 'untrack') {
      forget(member)
      reply(member.client, message, 'ok')
    } else reply(member.client, message, 'error')
  }

  function mayCall({ presence }: Member): boolean {
    const nowMs = clock.monotonic()
    if (nowMs >= presence.windowEndsMs) {
      presence.windowEndsMs = nowMs + options.presenceCallsWindow
      presence.calls = 0
    }
    presence.calls += 1
    return presence.calls <= options.presenceCallsMax
  }

  function trackMember(member: Member, message: ClientMessage, payload: unknown): void {
    const { client, topic, presence, permissions } = member
    if (permissions?.presence.write === false) return reply(client, message, 'error')
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      return refuse(client, message, 'Presence track payload must be a map')
    const { phx_ref: _ref, phx_ref_prev: _before, ...own } = payload as Record<string, unknown>
    const json = JSON.stringify(own)
    if (Buffer.byteLength(json) + Buffer.byteLength(presence.key) > options.presenceBytesMax)
      return shutDown(member, 'Track message size exceeded')
    presence.enabled = true
    const before = presence.tracked
    if (json !== before?.json) {
      const ref = `F${(states += 1).toString(36)}${suffix}`
      presence.tracked = { ref, json }
      track((topic.presences ??= newPresences()), member, presence.tracked)
      tell(topic)
      onChanged(topic, [presence.key, ref, before?.ref ?? null, json])
    }
    reply(client, message, 'ok')
  }

  function greet(member: Member): void {
    const { client, address, topic, presence } = member
    if (!presence.enabled || !maySeePresence(member)) return
    // Others are told at the end of this turn; who comes now has it all in the state.
    const json = topic.presences === undefined ? '{}' : toStateJson(topic.presences)
    sendText(client, { topic: address, event: 'presence_state' }, json)
  }

  /** Who is behind is told who is there when it has got what waits for it, instead of each change. */
  function greetLater(member: Member): void {
    if (member.presence.isBehind) return
    member.presence.isBehind = true
    whenDrained(member.client, () => {
      member.presence.isBehind = false
      if (member.topic.members.has(member)) greet(member)
    })
  }

  function forget(member: Member): void {
    const { topic, presence } = member
    const { tracked } = presence
    if (tracked === undefined || topic.presences === undefined) return
    presence.tracked = undefined
    if (!untrack(topic.presences, member)) return
    tell(topic)
    onChanged(topic, [tracked.ref])
  }

  const tell = (topic: Topic): void => tellSoon(topic, greetLater)
  return { handle, greet, forget, tell }
}

/** Many who come in one moment are one message. */
function tellSoon(topic: Topic, onBehind: (member: Member) => void): void {
  const presences = topic.presences!
  if (presences.isTelling) return
  presences.isTelling = true
  setImmediate(() => {
    presences.isTelling = false
    if (presences.byKey.size === 0) topic.presences = undefined
    // What other nodes say may be known.
    if (presences.joins.size === 0 && presences.leaves.size === 0) return
    const json = takeDiffJson(presences)
    const frames: { 1?: Buffer; 2?: Buffer } = {}
    const frameOf = (version: Version, address: string): Buffer =>
      (frames[version] ??= toFrame(encodeText(version, { topic: address, event: 'presence_diff' }, json)))
    for (const member of topic.members) {
      if (!maySeePresence(member)) continue
      if (member.presence.isBehind || isBehind(member.client)) onBehind(member)
      else sendFrame(member.client, frameOf(member.client.version, member.address))
    }
  })
}
