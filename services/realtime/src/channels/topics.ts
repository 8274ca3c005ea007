import type { Presences } from '../presence/presences.ts'
import type { Member } from './member.ts'

/** A channel that somebody is in. A private and a public one of the same name are two. */
export type Topic = {
  readonly name: string
  readonly isPrivate: boolean
  readonly members: Set<Member>
  presences: Presences | undefined
}

/** Topics with members; those that somebody only asks to join are not among them. */
export type Topics = {
  find(name: string, isPrivate: boolean): Topic | undefined
  /** Puts a member in the topic of this name: its own, when nobody is there. */
  enter(member: Member): void
  /** Takes a member out, and the topic away when it was the last one. */
  remove(member: Member): void
  count(): number
  members(): Iterable<Member>
}

export const newTopic = (name: string, isPrivate: boolean): Topic => ({
  name,
  isPrivate,
  members: new Set(),
  presences: undefined,
})

export function createTopics(): Topics {
  const byScope: readonly [Map<string, Topic>, Map<string, Topic>] = [new Map(), new Map()]
  const scope = (isPrivate: boolean): Map<string, Topic> => byScope[isPrivate ? 1 : 0]
  return {
    find: (name, isPrivate) => scope(isPrivate).get(name),
    enter(member) {
      const { name, isPrivate } = member.topic
      const known = scope(isPrivate).get(name)
      if (known === undefined) scope(isPrivate).set(name, member.topic)
      else member.topic = known
      member.topic.members.add(member)
    },
    remove(member) {
      const { topic } = member
      if (topic.members.delete(member) && topic.members.size === 0) scope(topic.isPrivate).delete(topic.name)
    },
    count: () => byScope[0].size + byScope[1].size,
    *members() {
      for (const topics of byScope) for (const { members } of topics.values()) yield* members
    },
  }
}
