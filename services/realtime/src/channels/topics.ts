import type { Presences } from '../presence/presences.ts'
import type { Member } from './member.ts'

/** A channel that somebody is in. A private and a public one of the same name are two. */
export type Topic = {
  readonly name: string
  readonly isPrivate: boolean
  readonly members: Set<Member>
  presences: Presences | undefined
}

export type Topics = {
  find(name: string, isPrivate: boolean): Topic | undefined
  findOrMake(name: string, isPrivate: boolean): Topic
  /** Takes a member out, and the topic away when it was the last one. */
  remove(member: Member): void
  count(): number
  members(): Iterable<Member>
}

export function createTopics(): Topics {
  const byScope: readonly [Map<string, Topic>, Map<string, Topic>] = [new Map(), new Map()]
  const scope = (isPrivate: boolean): Map<string, Topic> => byScope[isPrivate ? 1 : 0]
  return {
    find: (name, isPrivate) => scope(isPrivate).get(name),
    findOrMake(name, isPrivate) {
      let topic = scope(isPrivate).get(name)
      if (topic === undefined) {
        topic = { name, isPrivate, members: new Set(), presences: undefined }
        scope(isPrivate).set(name, topic)
      }
      return topic
    },
    remove(member) {
      const { topic } = member
      topic.members.delete(member)
      if (topic.members.size === 0) scope(topic.isPrivate).delete(topic.name)
    },
    count: () => byScope[0].size + byScope[1].size,
    *members() {
      for (const topics of byScope) for (const { members } of topics.values()) yield* members
    },
  }
}
