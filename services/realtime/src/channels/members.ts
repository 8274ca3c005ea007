import type { Clock } from '@pando/core/clock'
import type { Identity } from '../deps.ts'
import type { Permissions } from '../private/permissions.ts'
import { expiredText } from './identify.ts'
import { createMemberIndex } from './member-index.ts'
import type { Member } from './member.ts'
import { tellClosed, tellSystem } from './replies.ts'
import type { Topics } from './topics.ts'

export type MembersDeps = {
  readonly clock: Clock
  readonly topics: Topics
  /** Of a member that leaves, while its topic is there. */
  readonly onLeave: (member: Member) => void
}

/** Who is in which channel, and for how long. */
export type Members = {
  /** Lets a member in, or one that is in it be whom another token names. */
  enter(member: Member, identity: Identity, permissions: Permissions | undefined): void
  leave(member: Member): void
  /** Says why, and ends the channel; the client may join again. */
  shutDown(member: Member, message: string): void
  endExpired(): void
  endSession(sessionId: string): void
}

export function createMembers({ clock, topics, onLeave }: MembersDeps): Members {
  const byExpiry = createMemberIndex<number>()
  const bySession = createMemberIndex<string>()

  function enter(member: Member, identity: Identity, permissions: Permissions | undefined): void {
    Object.assign(member, identity, { permissions })
    topics.enter(member)
    byExpiry.put(member, identity.expiresAt)
    const { session_id: session } = identity.caller.claims
    bySession.put(member, typeof session === 'string' ? session : undefined)
  }

  function leave(member: Member): void {
    byExpiry.put(member, undefined)
    bySession.put(member, undefined)
    for (const stop of member.changes?.stops ?? []) stop()
    member.changes = undefined
    onLeave(member)
    topics.remove(member)
    if (member.client.members.get(member.address) === member) member.client.members.delete(member.address)
  }

  function shutDown(member: Member, message: string): void {
    tellSystem(member, { extension: 'system', status: 'error', message })
    leave(member)
    tellClosed(member)
  }

  return {
    enter,
    leave,
    shutDown,
    endExpired: () => {
      const nowMs = clock.now()
      for (const second of byExpiry.keys()) {
        if (second * 1000 > nowMs) continue
        for (const member of byExpiry.take(second)) shutDown(member, expiredText(second, nowMs))
      }
    },
    endSession: (sessionId) => {
      for (const member of bySession.take(sessionId)) shutDown(member, 'Session of the token has ended')
    },
  }
}
