import type { Sources } from './analyses.ts'
import type { Reason } from './analysis.ts'
import type { Answered, CachedRead } from './cached-read.ts'
import type { Observe } from './observation.ts'
import type { ReadNow } from './witness.ts'

export const unknownLog: Reason = { code: 'log', text: 'the log of changes is not known up to now' }
export const unwanted: Reason = { code: 'no_store', text: 'the request wants nothing kept' }
const isLasting = (reason: Reason): boolean => reason !== unknownLog && reason !== unwanted

export type Bypasses = {
  /** Gives what `readNow` gives. A reason that lasts is told once for what is read. */
  bypass(asked: CachedRead, reason: Reason, readNow: ReadNow): Promise<Answered>
  /** What has been told may be told again. */
  forget(): void
}

/** Reads whose answers cannot be kept. */
export function createBypasses(observe: Observe): Bypasses {
  let told = new WeakSet<Sources>()
  return {
    bypass: async ({ sources, caller }, reason, readNow) => {
      observe({ kind: 'read', outcome: 'bypass' })
      if (isLasting(reason) && !told.has(sources)) {
        told.add(sources)
        const { schema, name } = sources.root
        observe({ kind: 'hindered', table: `${schema}.${name}`, role: caller.role, reason: reason.text })
      }
      return { page: await readNow(), use: { kind: 'bypass', reason } }
    },
    forget: () => void (told = new WeakSet()),
  }
}
