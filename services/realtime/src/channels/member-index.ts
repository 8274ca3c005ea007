import type { Member } from './member.ts'

/** Members by something that several share and that may change: the second in which a token ends, a session. */
export type MemberIndex<Key> = {
  put(member: Member, key: Key | undefined): void
  /** The members of a key, which are taken out. */
  take(key: Key): readonly Member[]
  keys(): Iterable<Key>
}

export function createMemberIndex<Key>(): MemberIndex<Key> {
  const membersOf = new Map<Key, Set<Member>>()
  const keyOf = new WeakMap<Member, Key>()

  function forget(member: Member): void {
    const key = keyOf.get(member)
    if (key === undefined) return
    keyOf.delete(member)
    const members = membersOf.get(key)
    members?.delete(member)
    if (members?.size === 0) membersOf.delete(key)
  }

  return {
    put(member, key) {
      forget(member)
      if (key === undefined) return
      keyOf.set(member, key)
      const members = membersOf.get(key)
      if (members === undefined) membersOf.set(key, new Set([member]))
      else members.add(member)
    },
    take(key) {
      const members = [...(membersOf.get(key) ?? [])]
      for (const member of members) forget(member)
      return members
    },
    keys: () => membersOf.keys(),
  }
}
