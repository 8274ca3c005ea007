import type { Presences } from '../presence/presences.ts'
import type { Member } from './member.ts'

/** What tells topics apart: a private and a public channel of the same name are two. */
export type TopicName = { readonly name: string; readonly isPrivate: boolean }

/** A channel that somebody is in. */
export type Topic = TopicName & {
  readonly members: Set<Member>
  presences: Presences | undefined
  /** What keeps it while nobody is in it: those who are about to enter, and the line to other nodes. */
  holds: number
}

/** Topics with members, and those that are held. */
export type Topics = {
  find(name: string, isPrivate: boolean): Topic | undefined
  /** Puts a member in the topic of this name: its own, when nobody is there. */
  enter(member: Member): void
  /** Takes a member out, and the topic away when it was the last one. */
  remove(member: Member): void
  /** The topic of this name is there until it is released as often: the given one, when there is none. */
  hold(topic: Topic): Topic
  release(topic: Topic): void
  /** Those that somebody is in. */
  count(): number
  members(): Iterable<Member>
  all(): Iterable<Topic>
}

export const newTopic = (name: string, isPrivate: boolean): Topic => ({
  name,
  isPrivate,
  members: new Set(),
  presences: undefined,
  holds: 0,
})

export function createTopics(): Topics {
  const byScope: readonly [Map<string, Topic>, Map<string, Topic>] = [new Map(), new Map()]
  const scope = (isPrivate: boolean): Map<string, Topic> => byScope[isPrivate ? 1 : 0]

  function ensure(topic: Topic): Topic {
    const known = scope(topic.isPrivate).get(topic.name)
    if (known === undefined) scope(topic.isPrivate).set(topic.name, topic)
    return known ?? topic
  }

  function dropUnused({ name, isPrivate, members, holds }: Topic): void {
    if (members.size === 0 && holds === 0) scope(isPrivate).delete(name)
  }

  return {
    find: (name, isPrivate) => scope(isPrivate).get(name),
    enter(member) {
      member.topic = ensure(member.topic)
      member.topic.members.add(member)
    },
    remove(member) {
      if (member.topic.members.delete(member)) dropUnused(member.topic)
    },
    hold(topic) {
      const held = ensure(topic)
      held.holds += 1
      return held
    },
    release(topic) {
      topic.holds -= 1
      dropUnused(topic)
    },
    count: () => byScope.reduce((sum, topics) => sum + countEntered(topics), 0),
    *members() {
      for (const topics of byScope) for (const { members } of topics.values()) yield* members
    },
    *all() {
      for (const topics of byScope) yield* topics.values()
    },
  }
}

function countEntered(topics: ReadonlyMap<string, Topic>): number {
  let count = 0
  for (const { members } of topics.values()) if (members.size > 0) count += 1
  return count
}
