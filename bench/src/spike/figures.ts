import type { Goal } from '../goals.ts'
import type { Figures } from '../open-loop.ts'
import type { SpikeRow, StageFound } from './run.ts'

/** Good answers a second. */
export const goodput = ({ all, seconds }: StageFound): number => all.good / seconds

/** Of all that was offered. */
const shareGood = ({ good, sent }: Figures): number => (sent === 0 ? 1 : good / sent)

/** The unloaded stage, that at capacity, the spike, and the unloaded one after it. */
function partsOf({ stages }: SpikeRow) {
  const most = Math.max(...stages.map(({ times }) => times))
  const atPeak = stages.findIndex(({ times }) => times === most)
  return { unloaded: stages[0]!, atCapacity: stages[1]!, spike: stages[atPeak]!, after: stages[atPeak + 1]! }
}

/** The best that the server did in any stage, or in the closed loop by which its capacity was found. */
const peak = (row: SpikeRow): number => Math.max(row.capacityPerSecond, ...row.stages.map(goodput))

const [normalShare, normalLatency, normalSeconds] = [0.95, 1.5, 3]

/**
 * Seconds after the spike until three in a row are as the same load was before it: 95 % as many good answers, and the
 * middle one 1.5 × as late at most. Undefined when that does not come.
 */
function secondsUntilNormal(row: SpikeRow): number | undefined {
  const { unloaded: before, after } = partsOf(row)
  const isNormal = (second: Figures): boolean =>
    shareGood(second) >= normalShare * shareGood(before.all) && second.p50Ms <= normalLatency * before.all.p50Ms
  const from = after.bySecond.findIndex((_second, at) => {
    const some = after.bySecond.slice(at, at + normalSeconds)
    return some.length === normalSeconds && some.every(isNormal)
  })
  return from === -1 ? undefined : from
}

const percent = (share: number): string => `${(100 * share).toFixed(share > 0.99 && share < 1 ? 2 : 1)} %`
const ms = (of: number): string => `${of.toFixed(1)} ms`

/** What a spike must not do, as far as this run of one server tells. */
export function listSpikeGoals(row: SpikeRow): Goal[] {
  const { unloaded, atCapacity, spike } = partsOf(row)
  const most = `× ${spike.times}`
  const best = peak(row)
  const normal = secondsUntilNormal(row)
  const memory = spike.rssMb / atCapacity.rssMb
  const { refusedP99Ms, withoutRetryAfter, refused, p99Ms } = spike.all
  return [
    {
      text: `goodput at ${most}, of the peak`,
      goal: '≥ 95 %',
      found: `${goodput(spike).toFixed(0)} of ${best.toFixed(0)} a second: ${percent(goodput(spike) / best)}`,
      isReached: goodput(spike) >= 0.95 * best,
    },
    {
      text: `p99 of those who are let in at ${most}, of the unloaded`,
      goal: '≤ 3 ×',
      found: `${ms(p99Ms)} of ${ms(unloaded.all.p99Ms)}: ${(p99Ms / unloaded.all.p99Ms).toFixed(2)} ×`,
      isReached: p99Ms <= 3 * unloaded.all.p99Ms,
    },
    {
      text: `p99 of refusals at ${most}`,
      goal: '≤ 20 ms, all with `Retry-After`',
      found: `${ms(refusedP99Ms)}, ${withoutRetryAfter} of ${refused} without`,
      isReached: refusedP99Ms <= 20 && withoutRetryAfter === 0,
    },
    ...['refresh', 'payments'].map((name) => {
      const found = spike.kinds[name]!
      return {
        text: `${name} at ${most}`,
        goal: '≥ 99.9 %',
        found: `${percent(shareGood(found))} of ${found.sent}`,
        isReached: shareGood(found) >= 0.999,
      }
    }),
    {
      text: 'normal again',
      goal: '≤ 5 s',
      found: normal === undefined ? 'not' : `after ${normal} s`,
      isReached: normal !== undefined && normal <= 5,
    },
    {
      text: `memory at ${most}, of that at × 1`,
      goal: '≤ 1.5 ×',
      found: `${spike.rssMb.toFixed(0)} of ${atCapacity.rssMb.toFixed(0)} MB: ${memory.toFixed(2)} ×`,
      isReached: memory <= 1.5,
    },
  ]
}
