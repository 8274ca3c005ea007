import type { Change } from '@pando/changes/change'
import { type ChangeRun, type ChangeRunDeps, createChangeRun } from './change-run.ts'
import { remember } from './maybe.ts'

/** `sharedMs`: how long what was found out for one who came back is used for others, in milliseconds. */
export type RunsDeps = ChangeRunDeps & { readonly sharedMs: number }

/** Runs for changes, made anew when what one found out may be wrong by now. */
export type Runs = {
  /** For all who are told of a change when it comes; `xid` is the number of its transaction. */
  forNew(change: Change, xid: number | undefined): () => ChangeRun
  /** For those who come back: many do at once, after a node or a network was away, and ask for the same changes. */
  forMissed(change: Change): ChangeRun
}

export function createRuns({ sharedMs, ...deps }: RunsDeps): Runs {
  const shared = new Map<Change, () => ChangeRun>()

  const forNew = (change: Change, xid?: number): (() => ChangeRun) => {
    let generation = -1
    let run: ChangeRun
    return () => {
      if (generation !== deps.plans.generation()) run = createChangeRun(deps, change, xid)
      generation = deps.plans.generation()
      return run
    }
  }
  return {
    forNew,
    forMissed(change) {
      if (shared.size === 0) setTimeout(() => shared.clear(), sharedMs).unref()
      return remember(shared, change, () => forNew(change))()
    },
  }
}
