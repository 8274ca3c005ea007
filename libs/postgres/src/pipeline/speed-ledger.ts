import { LRUCache } from 'lru-cache'
import type { Statement } from '../exchange.ts'
import type { PipelineLimits } from './limits.ts'
import type { Observe } from './observation.ts'

type Entry = { averageMs: number; samples: number; fast: boolean }

/** Remembers how long statements take, by text, and tells which have proved fast. */
export type SpeedLedger = {
  /** True when every statement is known and fast: then the exchange may share a connection. */
  isFast(statements: readonly Statement[]): boolean
  /** Notes that the statements together took `tookMs`. */
  record(statements: readonly Statement[], tookMs: number): void
  /** Notes that one of the statements was stopped for taking too long. */
  markSlow(statements: readonly Statement[]): void
  readonly size: number
}

/** A statement has proved fast after this many samples. */
const samplesToProve = 2
/** Weight of a new sample in the moving average. */
const weight = 1 / 8
/** A sample counts as at most this many times `fastMs`, so that one stall is forgotten after a few good samples. */
const outlierFactor = 20

/**
 * The time of an exchange is an upper bound for each of its statements: it pulls every estimate down, but up only the
 * one that is slowest already. So a statement that shares its exchanges with a slow one is not blamed for it.
 */
export function createSpeedLedger(limits: PipelineLimits, observe: Observe): SpeedLedger {
  const entries = new LRUCache<string, Entry>({ max: limits.ledgerMax })
  const sampleMsMax = limits.fastMs * outlierFactor

  const learn = (text: string, entry: Entry, sampleMs: number, suspect: boolean) => {
    if (entry.samples === 0) entry.averageMs = sampleMs
    else if (suspect || sampleMs < entry.averageMs) entry.averageMs += (sampleMs - entry.averageMs) * weight
    entry.samples++
    const fast = entry.averageMs <= (entry.fast ? limits.fastMs * 2 : limits.fastMs) && entry.samples >= samplesToProve
    if (fast === entry.fast) return
    entry.fast = fast
    observe({ kind: 'statement.became', speed: fast ? 'fast' : 'slow', text })
  }

  return {
    isFast(statements) {
      for (let i = 0; i < statements.length; i++) {
        const entry = entries.get(statements[i]!.text)
        if (entry === undefined || !entry.fast) return false
      }
      return true
    },
    record(statements, tookMs) {
      const sampleMs = Math.min(tookMs, sampleMsMax)
      const suspect = findSuspect(entries, statements)
      for (let i = 0; i < statements.length; i++) {
        const { text } = statements[i]!
        let entry = entries.peek(text)
        if (entry === undefined) entries.set(text, (entry = { averageMs: 0, samples: 0, fast: false }))
        learn(text, entry, sampleMs, i === suspect)
      }
    },
    markSlow(statements) {
      const text = statements[findSuspect(entries, statements)]?.text
      if (text === undefined) return
      const entry = entries.peek(text)
      if (entry?.fast) observe({ kind: 'statement.became', speed: 'slow', text })
      entries.set(text, { averageMs: sampleMsMax, samples: samplesToProve, fast: false })
    },
    get size() {
      return entries.size
    },
  }
}

/** Index of a statement that is not known yet, else of the one with the highest average; of equals the later one. */
function findSuspect(entries: LRUCache<string, Entry>, statements: readonly Statement[]): number {
  let suspect = -1
  let highestMs = -1
  for (let i = 0; i < statements.length; i++) {
    const averageMs = entries.peek(statements[i]!.text)?.averageMs ?? Number.POSITIVE_INFINITY
    if (averageMs >= highestMs) {
      suspect = i
      highestMs = averageMs
    }
  }
  return suspect
}
