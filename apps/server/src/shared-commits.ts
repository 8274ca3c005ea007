import type { Bus } from '@pando/bus/bus'
import { parseLsn, printLsn, type Lsn } from '@pando/postgres/lsn'
import type { CommitLog } from '@pando/postgres/replicas/commit-log'

const channel = 'database.commits'
/** Commits of so long go in one message: notifications of Postgres are few thousands a second. */
const gatherMs = 5
/** Some 50 kB. */
const commitsMax = 1_000

/** A node's writes told to the others, and theirs kept here: a caller may read from any of them. */
export type SharedCommits = {
  /** The caller's write is committed before this place. */
  tell(caller: string, lsn: Lsn): void
  stop(): void
}

/** Without a bus there is nobody to tell. */
export function shareCommits(commits: CommitLog, bus: Bus | undefined): SharedCommits {
  if (bus === undefined) return { tell: () => {}, stop: () => {} }
  let gathered = new Map<string, Lsn>()
  let timer: NodeJS.Timeout | undefined
  const send = (): void => {
    clearTimeout(timer)
    timer = undefined
    const told = Array.from(gathered, ([caller, lsn]) => [caller, printLsn(lsn)])
    gathered = new Map()
    bus.publish(channel, Buffer.from(JSON.stringify(told)), 'may')
  }
  const subscription = bus.subscribe(channel, (message) => {
    for (const [caller, place] of JSON.parse(message.toString()) as [string, string][]) {
      const lsn = parseLsn(place)
      if (lsn === undefined) commits.doubt(caller)
      else commits.note(caller, lsn)
    }
  })
  const unwatch = bus.watch({ onGap: commits.doubtAll })
  return {
    tell(caller, lsn) {
      gathered.set(caller, lsn)
      if (gathered.size >= commitsMax) send()
      else timer ??= setTimeout(send, gatherMs)
    },
    stop() {
      if (timer !== undefined) send()
      subscription.end()
      unwatch()
    },
  }
}
