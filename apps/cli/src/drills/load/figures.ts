import type { Sent } from './open-loop.ts'

/** A stretch of a drill, in milliseconds since its load began. */
export type Phase = { readonly name: string; readonly fromMs: number; readonly toMs: number }

export type PhaseFigures = {
  readonly name: string
  readonly seconds: number
  readonly offeredPerSecond: number
  readonly answeredPerSecond: number
  readonly refused: number
  readonly failed: number
  /** Of those that were answered; 0 where none was. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What was due in a phase. */
export const within = (sent: readonly Sent[], { fromMs, toMs }: Phase): Sent[] =>
  sent.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs)

export function toFigures(sent: readonly Sent[], phase: Phase): PhaseFigures {
  const own = within(sent, phase)
  const latencies = latenciesOf(own, 'answered')
  const seconds = (phase.toMs - phase.fromMs) / 1000
  const count = (outcome: Sent['outcome']): number => own.filter((one) => one.outcome === outcome).length
  return {
    name: phase.name,
    seconds: round(seconds),
    offeredPerSecond: round(own.length / seconds),
    answeredPerSecond: round(count('answered') / seconds),
    refused: count('refused'),
    failed: count('failed'),
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    maxMs: round(latencies.at(-1) ?? 0),
  }
}

/** Sorted. */
export const latenciesOf = (sent: readonly Sent[], outcome: Sent['outcome']): number[] =>
  sent.flatMap((one) => (one.outcome === outcome ? [one.latencyMs] : [])).sort((one, other) => one - other)

/** Of sorted numbers, the smallest that at least the share `q` does not exceed; 0 of none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0
}

/** The 99th percentile of latency, in milliseconds. */
export const p99Of = (sent: readonly Sent[], outcome: Sent['outcome'] = 'answered'): number =>
  round(quantile(latenciesOf(sent, outcome), 0.99))

/** The share of requests that were answered; 1 of none. */
export function shareAnswered(sent: readonly Sent[]): number {
  return sent.length === 0 ? 1 : sent.filter(({ outcome }) => outcome === 'answered').length / sent.length
}

/** Where each second of the drill stands, for a chart: answers, and the 99th percentile of their latency. */
export function toSeconds(sent: readonly Sent[]): { readonly answered: number; readonly p99Ms: number }[] {
  const seconds: Sent[][] = []
  for (const one of sent) (seconds[Math.floor(one.dueMs / 1000)] ??= []).push(one)
  return Array.from(seconds, (own = []) => {
    const latencies = latenciesOf(own, 'answered')
    return { answered: latencies.length, p99Ms: round(quantile(latencies, 0.99)) }
  })
}

const slotMs = 250
/** Of a quarter of a second, so many may go wrong or take longer and all is well still. */
const oddShareMax = 0.1

/**
 * How long after `fromMs` it takes until all is as it was: no quarter of a second in which more than a tenth of the
 * requests was not answered, or not within `usualMs`. Undefined when the last one is no better.
 */
export function secondsUntilNormal(
  sent: readonly Sent[],
  { fromMs, usualMs }: { readonly fromMs: number; readonly usualMs: number },
): number | undefined {
  const slots: Sent[][] = []
  for (const one of sent) if (one.dueMs >= fromMs) (slots[Math.floor((one.dueMs - fromMs) / slotMs)] ??= []).push(one)
  const isOdd = (own: readonly Sent[] = []): boolean =>
    own.filter(({ outcome, latencyMs }) => outcome !== 'answered' || latencyMs > usualMs).length >
    own.length * oddShareMax
  const lastOdd = Array.from(slots).findLastIndex(isOdd)
  return slots.length === 0 || lastOdd === slots.length - 1 ? undefined : ((lastOdd + 1) * slotMs) / 1000
}

/** Upper bounds in milliseconds; the last is open. */
const bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, Infinity] as const

/** How many answers took at most so long, and longer than the bound before. */
export function toHistogram(sent: readonly Sent[]): { readonly maxMs: number | null; readonly count: number }[] {
  const latencies = latenciesOf(sent, 'answered')
  return bounds.map((bound, at) => ({
    maxMs: Number.isFinite(bound) ? bound : null,
    count: latencies.filter((one) => one <= bound && one > (bounds[at - 1] ?? -1)).length,
  }))
}

/** Rounded down: 99.9999 % is not all. */
export const toPercent = (share: number): number => Math.floor(share * 100_000) / 1_000

export const round = (figure: number): number => Number(figure.toPrecision(3))
