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
  /** The caller's write is committed before this place; where it is not known, nobody knows. */
  tell(caller: string, lsn: Lsn | undefined): void
  /** The same, which is not known here either. */
  wrote(caller: string, lsn: Lsn | undefined): void
  stop(): void
}

/** Without a bus there is nobody to tell. */
export function shareCommits(commits: CommitLog, bus: Bus | undefined): SharedCommits {
  const note = (caller: string, lsn: Lsn | undefined): void =>
    lsn === undefined ? commits.doubt(caller) : commits.note(caller, lsn)
  if (bus === undefined) return { tell: () => {}, wrote: note, stop: () => {} }
  let gathered = new Map<string, Lsn | undefined>()
  let timer: NodeJS.Timeout | undefined
  const send = (): void => {
    clearTimeout(timer)
    timer = undefined
    const told = Array.from(gathered, ([caller, lsn]) => [caller, lsn === undefined ? '' : printLsn(lsn)])
    gathered = new Map()
    bus.publish(channel, Buffer.from(JSON.stringify(told)), 'may')
  }
  const subscription = bus.subscribe(channel, (message) => {
    for (const [caller, place] of JSON.parse(message.toString()) as [string, string][]) note(caller, parseLsn(place))
  })
  const unwatch = bus.watch({ onGap: commits.doubtAll })
  const tell = (caller: string, lsn: Lsn | undefined): void => {
    gathered.set(caller, lsn)
    if (gathered.size >= commitsMax) send()
    else timer ??= setTimeout(send, gatherMs)
  }
  return {
    tell,
    wrote(caller, lsn) {
      note(caller, lsn)
      tell(caller, lsn)
    },
    stop() {
      if (timer !== undefined) send()
      subscription.end()
      unwatch()
    },
  }
}
